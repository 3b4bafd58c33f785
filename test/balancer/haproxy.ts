import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { freePort } from '../../media/ports.ts'
import { until } from '../program.ts'

/** HAProxy's program: the one that MADANG_HAPROXY names, else Debian's; null where it names none. */
export const HAPROXY = process.env.MADANG_HAPROXY === '' ? null : (process.env.MADANG_HAPROXY ?? '/usr/sbin/haproxy')

const CONFIGURATION = fileURLToPath(new URL('../../deploy/haproxy.cfg', import.meta.url))
const IP = '127.0.0.1'

/** Ports of a gateway on loopback. */
export interface Behind {
  readonly port: number
  readonly adminPort: number
}

export interface Balancer {
  readonly url: string
  /** What it printed: which servers it takes for down and up, too. */
  output(): string
}

/**
 * Starts HAProxy with deploy/haproxy.cfg in front of two gateways, for the tests of one file, and ends it after the last of them.
 * Rejects with what it printed where it ends before it listens.
 */
export const balancerOfThisFile = async ([one, two]: readonly [Behind, Behind]): Promise<Balancer> => {
  const listen = `${IP}:${await freePort(IP)}`
  const haproxy = spawn(HAPROXY ?? 'haproxy', ['-db', '-f', CONFIGURATION], {
    env: {
      ...process.env,
      MADANG_LISTEN: listen,
      MADANG_GATEWAY_1: `${IP}:${one.port}`,
      MADANG_GATEWAY_1_ADMIN: String(one.adminPort),
      MADANG_GATEWAY_2: `${IP}:${two.port}`,
      MADANG_GATEWAY_2_ADMIN: String(two.adminPort),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const end = () => haproxy.kill('SIGKILL')
  process.once('exit', end)
  const gone = once(haproxy, 'close')
  afterAll(async () => {
    end()
    await gone
    process.off('exit', end)
  })
  let printed = ''
  for (const stream of [haproxy.stdout, haproxy.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      printed += text
    })
  const url = `http://${listen}`
  const answers = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
  const dies = gone.then(() => Promise.reject(new Error(`HAProxy ended:\n${printed}`)))
  dies.catch(() => {})
  await Promise.race([until(answers, 'HAProxy to answer'), dies])
  return { url, output: () => printed }
}
