import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Room } from '../../client/client.ts'
import { DECK } from '../../games/charades/deck.ts'
import type charades from '../../games/charades/rules.ts'
import { until } from '../program.ts'
import { nameIn, type Person } from './people.ts'
import type { Look, Scene, Stage } from './scenes.ts'

const TABLE: readonly Person[] = ['sora', 'minjun', 'hana', 'jiho', 'ari', 'duri']

type Part = 'performer' | 'guesser' | 'rival'

/** A turn that is acted, with the one who looks in the wanted part. */
interface Turn {
  readonly page: Page
  readonly rooms: ReadonlyMap<string, Room<typeof charades>>
  readonly performer: Room<typeof charades>
  /** The guessers without a page. */
  readonly guessers: readonly Room<typeof charades>[]
}

const gameOf = (room: Room<typeof charades> | undefined) => room?.document.game ?? null

const partOf = (room: Room<typeof charades> | undefined, id: string): Part | null => {
  const game = gameOf(room)
  if (game === null || game.team === null) return null
  if ((game.performer ?? game.next) === id) return 'performer'
  return game.teams[game.team].includes(id) ? 'guesser' : 'rival'
}

interface Wanted {
  readonly options?: object
  /** Ids and names, the one who looks first. */
  readonly people: readonly (readonly [id: string, name: string])[]
}

/** They play charades, until the draw gives the one who looks the wanted part; then the page comes. */
const seated = async (stage: Stage, look: Look, part: Part, { people, options = {} }: Wanted): Promise<Turn> => {
  const [[me, name] = expect.fail('nobody looks')] = people
  const host = await stage.player(me, name)
  for (;;) {
    const id = await host.create('charades', { turn: 300, ready: 60, rounds: 2, ...options })
    const rooms = new Map<string, Room<typeof charades>>()
    for (const [person, name] of people)
      rooms.set(person, await (await stage.player(person, name)).join<typeof charades>(id))
    await rooms.get(me)?.start()
    const game = gameOf(rooms.get(me))
    if (game !== null && game.team !== null && partOf(rooms.get(me), me) === part) {
      const performer = rooms.get(game.next ?? '') ?? expect.fail('nobody performs')
      const guessers = game.teams[game.team].filter((person) => person !== game.next && person !== me)
      const page = await stage.page(me, name, look)
      await page.goto(`${stage.url}/play/${id}`)
      await page.locator('.charades[data-phase="ready"]').waitFor()
      return { page, rooms, performer, guessers: guessers.flatMap((person) => rooms.get(person) ?? []) }
    }
    for (const room of rooms.values()) await room.leave()
  }
}

const six = (look: Look, options: object = {}): Wanted => ({
  people: TABLE.map((id) => [id, nameIn(look, id)]),
  options,
})

/** Somebody who is next to perform, with `count` people around the table; and what somebody of the team guesses. */
export const nextOf = async (
  stage: Stage,
  count: number,
  look: Look,
): Promise<{ page: Page; guess(text: string): Promise<unknown> }> => {
  const people = Array.from({ length: count }, (_, index) => [`p${index}`, `Player ${index}`] as const)
  const { page, guessers } = await seated(stage, look, 'performer', { people })
  return { page, guess: async (text) => guessers[0]?.move.guess({ text }) }
}

const begun = async (turn: Turn): Promise<Turn> => {
  await turn.performer.move.begin({})
  await until(() => gameOf(turn.performer)?.word, 'the word')
  await turn.page.locator('.charades[data-phase="acting"]').waitFor()
  return turn
}

/** Some words are guessed, right and wrong, in the language of the page. */
const guessed = async ({ page, performer, guessers: [one, two = one] }: Turn, look: Look): Promise<void> => {
  const language = look.locale === 'ko-KR' ? 'ko' : 'en'
  const wrong = DECK.filter(({ en }) => en.length < 8 && en !== gameOf(performer)?.word?.en).map(
    (word) => word[language],
  )
  await one?.move.guess({ text: wrong[2] ?? '' })
  await two?.move.guess({ text: gameOf(performer)?.word?.[language] ?? '' })
  await until(() => gameOf(performer)?.guesses.at(-1)?.right, 'the point')
  await one?.move.guess({ text: wrong[5] ?? '' })
  await two?.move.guess({ text: wrong[7] ?? '' })
  await page.locator('.charades-guesses li').nth(3).waitFor()
}

const inPart =
  (part: Part) =>
  async (stage: Stage, look: Look): Promise<Page> => {
    const turn = await begun(await seated(stage, look, part, six(look)))
    await guessed(turn, look)
    return turn.page
  }

/** The two sides of a turn. */
export const CHARADES: readonly Scene[] = [
  { name: 'charades-perform', open: inPart('performer') },
  { name: 'charades-guess', open: inPart('guesser') },
]

/** What else there is to see. */
export const MORE_CHARADES: readonly Scene[] = [
  { name: 'charades, watching the other team', open: inPart('rival') },
  {
    name: 'charades, next to perform',
    open: async (stage, look) => (await seated(stage, look, 'performer', six(look))).page,
  },
  {
    name: 'charades, between two turns',
    open: async (stage, look) => {
      const turn = await begun(await seated(stage, look, 'rival', six(look, { turn: 10 })))
      await guessed(turn, look)
      await turn.performer.move.skip({})
      await turn.page.locator('.charades[data-phase="ready"]').waitFor()
      return turn.page
    },
  },
  {
    name: 'charades, over',
    open: async (stage, look) => {
      const turn = await begun(await seated(stage, look, 'guesser', six(look)))
      await guessed(turn, look)
      const rivals = [...turn.rooms].filter(([id, room]) => partOf(room, id) === 'rival')
      for (const [, room] of rivals.slice(1)) await room.leave()
      await turn.page.locator('.charades[data-phase="over"]').waitFor()
      return turn.page
    },
  },
]
