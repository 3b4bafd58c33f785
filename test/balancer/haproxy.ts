import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { freePort } from '../ports.ts'
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
 * HAProxy with deploy/haproxy.cfg in front of two gateways, for the tests of one file: started before the first of them, if any is
 * run, and ended after the last. That fails with what it printed where it ends before it listens.
 */
export const balancerOfThisFile = (gateways: () => readonly [Behind, Behind]): Balancer => {
  let url = ''
  let printed = ''
  let end = async (): Promise<void> => {}
  beforeAll(async () => {
    const [one, two] = gateways()
    const listen = `${IP}:${await freePort()}`
    url = `http://${listen}`
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
    const kill = () => haproxy.kill('SIGKILL')
    process.once('exit', kill)
    const gone = once(haproxy, 'close')
    end = async () => {
      kill()
      await gone
      process.off('exit', kill)
    }
    for (const stream of [haproxy.stdout, haproxy.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        printed += text
      })
    const answers = () =>
      fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      )
    const dies = gone.then(() => Promise.reject(new Error(`HAProxy ended:\n${printed}`)))
    dies.catch(() => {})
    await Promise.race([until(answers, 'HAProxy to answer'), dies])
  })
  afterAll(() => end())
  return {
    get url() {
      return url
    },
    output: () => printed,
  }
}
