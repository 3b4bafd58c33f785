import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll } from 'vitest'
import { freePort } from '../ports.ts'
import { temporaryFolder } from '../program.ts'

/** coturn's program: the one that MADANG_TURNSERVER names, else Debian's; null where it names none. */
export const TURNSERVER =
  process.env.MADANG_TURNSERVER === '' ? null : (process.env.MADANG_TURNSERVER ?? '/usr/bin/turnserver')

const IP = '127.0.0.1'

/**
 * Starts coturn on loopback, with one user, for the tests of one file, and ends it after the last of them; returns HOST:PORT.
 * Rejects with what it printed where it ends before it listens.
 */
export const turnServerOfThisFile = async (user: string, password: string): Promise<string> => {
  const folder = temporaryFolder()
  const port = await freePort()
  const args = [
    ...['-n', '--no-cli', '--no-tls', '--no-dtls', '--verbose', '--log-file', 'stdout'],
    ...['--pidfile', join(folder.path, 'pid'), '--userdb', join(folder.path, 'users')],
    ...['--listening-ip', IP, '--listening-port', String(port), '--relay-ip', IP, '--allow-loopback-peers'],
    ...['--lt-cred-mech', '--realm', 'madang.example', '--user', `${user}:${password}`],
  ]
  const coturn = spawn(TURNSERVER ?? 'turnserver', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const end = () => coturn.kill('SIGKILL')
  process.once('exit', end)
  const gone = once(coturn, 'close')
  afterAll(async () => {
    end()
    await gone
    process.off('exit', end)
    folder[Symbol.dispose]()
  })
  let printed = ''
  const listens = Promise.withResolvers<void>()
  for (const input of [coturn.stdout, coturn.stderr])
    createInterface({ input }).on('line', (line) => {
      printed += `${line}\n`
      if (line.includes(`UDP listener opened on: ${IP}:${port}`)) listens.resolve()
    })
  gone.then(
    () => listens.reject(new Error(`coturn ended before it listened:\n${printed}`)),
    (error) => listens.reject(error),
  )
  await listens.promise
  return `${IP}:${port}`
}
