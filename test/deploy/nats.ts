import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findOrInstallNats } from '../../scripts/nats-server.mjs'
import { freePort } from '../ports.ts'
import { until } from '../program.ts'
import { SECRET } from './flags.ts'
import { DEPLOY } from './parsers.ts'

export const PROGRAM = await findOrInstallNats((line) => console.error(line))

/** Three that look for one another on a busy machine. */
const WELL_WITHIN_MS = 45_000

/** What the files ask for, as if this machine were one of its own. */
export const natsEnvironment = (name: string, store: string, routes: readonly number[]) => ({
  NATS_NAME: name,
  NATS_HOST: '127.0.0.1',
  NATS_STORE: store,
  NATS_STORE_MAX: '1GB',
  NATS_GATEWAY_PASSWORD: `${SECRET}g`,
  NATS_ENGINE_PASSWORD: `${SECRET}e`,
  NATS_MEDIA_PASSWORD: `${SECRET}m`,
  NATS_OPERATOR_PASSWORD: `${SECRET}o`,
  NATS_ROUTE_PASSWORD: `${SECRET}r`,
  NATS_ROUTES: JSON.stringify(routes.map((port) => `nats-route://route:${SECRET}r@127.0.0.1:${port}`)),
})

export interface DeployedNats extends AsyncDisposable {
  readonly url: string
  readonly servers: readonly { readonly port: number; readonly route: number; ask(path: string): Promise<unknown> }[]
  printed(): string
}

/** Starts nats-servers, one or three, with a file of deploy/nats, in which ports alone are others. */
export const startDeployed = async (file: string): Promise<DeployedNats> => {
  const folder = mkdtempSync(join(tmpdir(), 'madang-deploy-nats-'))
  const names = file === 'r1.conf' ? ['nats-0'] : ['nats-0', 'nats-1', 'nats-2']
  const places = await Promise.all(
    names.map(async (name) => ({ name, client: await freePort(), route: await freePort(), monitor: await freePort() })),
  )
  const children: ChildProcess[] = []
  let printed = ''
  const servers = places.map(({ name, client, route, monitor }) => {
    const own = join(folder, name)
    cpSync(join(DEPLOY, 'nats'), own, { recursive: true })
    for (const each of readdirSync(own)) {
      const text = readFileSync(join(own, each), 'utf8')
      const moved = text.replace('port: 4222', `port: ${client}`).replace('port: 6222', `port: ${route}`)
      writeFileSync(join(own, each), moved.replace('http: 8222', `http: "127.0.0.1:${monitor}"`))
    }
    const routes = places.map((place) => place.route)
    const env = { PATH: process.env.PATH ?? '', ...natsEnvironment(name, join(folder, name, 'store'), routes) }
    const child = spawn(PROGRAM, ['-c', join(own, file)], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    children.push(child)
    const ask = async (path: string): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${monitor}${path}`)
      if (!response.ok) throw new Error(`${name}: ${response.status}`)
      return await response.json()
    }
    return { port: client, route, ask }
  })
  const stop = async () => {
    for (const child of children) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const areWell = async () => {
    if (children.some(({ exitCode }) => exitCode !== null)) throw new Error(`nats-server ended:\n${printed}`)
    return (await Promise.allSettled(servers.map(({ ask }) => ask('/healthz')))).every(
      ({ status }) => status === 'fulfilled',
    )
  }
  try {
    await until(areWell, `${file} to be well`, WELL_WITHIN_MS)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: servers.map(({ port }) => `nats://127.0.0.1:${port}`).join(','),
    servers,
    printed: () => printed,
    [Symbol.asyncDispose]: stop,
  }
}
