import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { until } from '../program.ts'
import { enter, type Player, publish, studioOfThisFile } from './studio.ts'

const studio = await studioOfThisFile('--media-workers', '1')
const { program } = studio

const TIMES = 3
/** What a machine that has much else to do may take; a second is usual. */
const MOST_MS = 30_000

/** Two who see and hear each other in a room that is open. */
const two = async (): Promise<readonly [Player, Player]> => {
  const page = await studio.page()
  const [ann, bob] = [await studio.sit(page, 'Ann'), await studio.sit(page, 'Bob')]
  const room = await ann.frame.evaluate(() => seat.session.create('mafia'))
  for (const each of [ann, bob]) await enter(each, room)
  for (const each of [ann, bob]) await publish(each)
  await firstFrames([ann, bob], [0, 0])
  return [ann, bob]
}

const connectionsOf = (players: readonly Player[]): Promise<number[]> =>
  Promise.all(players.map(({ frame }) => frame.evaluate(() => seat.connections)))

/** When each of two first saw the other on a connection after these, ms since the epoch. */
const firstFrames = (players: readonly [Player, Player], after: readonly number[]): Promise<number[]> =>
  Promise.all(
    players.map(({ frame }, at) =>
      frame.evaluate(([player, since]) => seat.firstFrame(player, since), [
        players[1 - at]?.id ?? '',
        after[at] ?? 0,
      ] as const),
    ),
  )

/** The processes that this one started and that have not ended. */
const childrenOf = (pid: number): { pid: number; name: string }[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    .split(' ')
    .filter((child) => child !== '')
    .map((child) => ({ pid: Number(child), name: readFileSync(`/proc/${child}/comm`, 'latin1').trim() }))

const worker = (): number | null =>
  childrenOf(program.pid).find(({ name }) => name.startsWith('mediasoup'))?.pid ?? null

test(`kill -9 of a worker: ${TIMES} times, sound and picture come back by themselves`, {
  timeout: 180_000,
}, async () => {
  const players = await two()
  for (let times = 1; times <= TIMES; times++) {
    const before = await connectionsOf(players)
    const pid = await until(worker, 'a worker')
    const killed = Date.now()
    process.kill(pid, 'SIGKILL')
    const came = (await firstFrames(players, before)).map((at) => at - killed)
    console.log(`first frame ${came.join(' and ')} ms after kill -9 of the worker`)
    expect(await until(worker, 'another worker')).not.toBe(pid)
    for (const { frame } of players) await frame.waitForFunction(() => seat.room.media.state.current.status === 'live')
  }
})

test(`kill -9 of the program: ${TIMES} times, sound and picture come back once it is there again`, {
  timeout: 180_000,
}, async () => {
  const players = await two()
  for (let times = 1; times <= TIMES; times++) {
    const before = await connectionsOf(players)
    const killed = Date.now()
    await program.kill('SIGKILL')
    await program.again()
    const back = Date.now()
    const came = (await firstFrames(players, before)).map((at) => at - back)
    console.log(`first frame ${came.join(' and ')} ms after the program was back, ${back - killed} ms after kill -9`)
    expect(Math.max(...came)).toBeLessThan(MOST_MS)
  }
})
