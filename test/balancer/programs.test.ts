import { afterAll, beforeAll, expect, test } from 'vitest'
import { TRANSPORTS } from '../../client/link.ts'
import { startNats } from '../nats-server.ts'
import { freePort } from '../ports.ts'
import { type Program, startMadang, until } from '../program.ts'
import { Dice } from '../sim/dice.ts'
import { PROGRAM, sit } from '../transports/seats.ts'
import { settle, talking } from '../transports/talk.ts'
import { balancerOfThisFile, HAPROXY } from './haproxy.ts'

/** A gateway program on ports that stay its own. */
interface Place {
  readonly port: number
  readonly adminPort: number
  program: Program
}

/** Ends what was started, the last first. */
const endings: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const end of endings.reverse()) await end()
})

const startCluster = async () => {
  const nats = await startNats()
  endings.push(() => nats.stop())
  const start = async (roles: string, more: readonly string[] = [], port?: number): Promise<Program> => {
    const program = await startMadang(
      [...PROGRAM, '--nats', nats.url, '--roles', roles, ...more],
      port === undefined ? {} : { port },
    )
    endings.push(() => program.kill())
    return program
  }
  await start('engine')
  const startGateway = (adminPort: number, port?: number) =>
    start('gateway', ['--trust-proxy', '1', '--admin-port', String(adminPort)], port)
  const place = async (): Promise<Place> => {
    const adminPort = await freePort()
    const program = await startGateway(adminPort)
    return { port: program.port, adminPort, program }
  }
  const places = [await place(), await place()] as const
  const restart = async (place: Place): Promise<void> => {
    place.program = await startGateway(place.adminPort, place.port)
  }
  return { nats: [nats.url], places, restart }
}

let cluster: Awaited<ReturnType<typeof startCluster>> | null = null
beforeAll(async () => {
  cluster = await startCluster()
})
const balancer = balancerOfThisFile(() => cluster?.places ?? expect.fail())

test.skipIf(HAPROXY === null)(
  'P1 to P3: of two gateways on NATS one is stopped and one is killed under play, and nobody drops or loses a move',
  { timeout: 120_000 },
  async () => {
    const { nats, places, restart } = cluster ?? expect.fail()
    const { url, output } = balancer
    const sessions = await Promise.all(TRANSPORTS.map((transport) => sit(url, `By ${transport}`, transport)))
    const { id, talkers } = await talking(sessions, new Dice(11, 'programs'))
    const dropped: string[] = []
    for (const { seen } of talkers)
      seen.room.subscribe(({ document: { room } }) => {
        for (const { name, connected } of Object.values(room.members)) if (!connected) dropped.push(name)
      })
    const goOn = async (): Promise<void> => {
      const moves = talkers.map(({ acknowledged }) => acknowledged.length)
      const isFurther = () => talkers.every(({ acknowledged }, i) => acknowledged.length >= (moves[i] ?? 0) + 5)
      await until(isFurther, 'all to play on')
    }
    const isTakenUp = (server: string, times: number) =>
      until(() => output().split(`gateways/${server} is UP`).length > times, 'the balancer to come back to it')

    await goOn()
    expect(await places[0].program.kill('SIGTERM')).toBe(0)
    await goOn()
    await restart(places[0])
    await isTakenUp('gateway1', 1)
    await goOn()
    await places[1].program.kill('SIGKILL')
    await goOn()
    // Nobody may drop meanwhile: longer than the gateway that died counts as there, and its players' grace.
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    await restart(places[1])
    await isTakenUp('gateway2', 1)
    await goOn()

    await settle({ nats }, id, talkers)
    expect(dropped).toEqual([])
    expect(sessions.map(({ transport }) => transport.current)).toEqual([...TRANSPORTS])
    for (const session of sessions) session.close()
  },
)
