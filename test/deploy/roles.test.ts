import { expect, test } from 'vitest'
import { MadangError } from '../../client/client.ts'
import { type Program, startMadang, until } from '../program.ts'
import { beginGame } from './game.ts'
import { type DeployedNats, natsEnvironment, startDeployed } from './nats.ts'

const ROLES = ['engine', 'gateway', 'media'] as const

/** A process of its own for each role, each with the user of deploy/nats/users.conf that it has in deploy/. */
const startRoles = async ({ url }: DeployedNats): Promise<Record<(typeof ROLES)[number], Program>> => {
  const passwords = natsEnvironment('', '', [])
  const password = {
    engine: passwords.NATS_ENGINE_PASSWORD,
    gateway: passwords.NATS_GATEWAY_PASSWORD,
    media: passwords.NATS_MEDIA_PASSWORD,
  }
  const start = (role: (typeof ROLES)[number]) =>
    startMadang(
      ['--roles', role, '--nats', url, '--nats-user', role, ...(role === 'media' ? ['--media-port', '0'] : [])],
      {
        env: { MADANG_NATS_PASSWORD: password[role] },
      },
    )
  const [engine, gateway, media] = await Promise.all(ROLES.map(start))
  if (engine === undefined || gateway === undefined || media === undefined) throw new Error('not all started')
  return { engine, gateway, media }
}

test('each role works with no more rights on NATS than deploy/ gives it: a game is played, and none asks for more', async () => {
  await using nats = await startDeployed('r1.conf')
  const roles = await startRoles(nats)
  const { ann, bob, leave } = await beginGame(roles.gateway.url)
  await until(() => bob.document.game?.cells[4] !== null, 'the mark to be seen')
  // The engine may not have heard of the media node yet.
  const join = (): Promise<unknown> =>
    ann.call('media.join', {}).catch((error: unknown) => {
      if (error instanceof MadangError && error.code === 'unavailable') return null
      throw error
    })
  expect(await until(join, 'a media node')).toMatchObject({ peer: expect.any(String) })
  leave()
  for (const role of ROLES) expect(await roles[role].kill('SIGTERM'), roles[role].output()).toBe(0)
  expect(nats.printed()).not.toMatch(/violation/i)
  for (const role of ROLES) expect(roles[role].output(), role).not.toMatch(/violation|"level":[56]0/i)
})
