import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll } from 'vitest'
import type { Room, Session } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { until } from '../program.ts'
import type { ProgramOfFile } from '../wire/program.ts'
import { CHARADES } from './charades-scenes.ts'
import { JWT_SECRET, nameIn, type Person, pageAs, sit } from './people.ts'
import { programAndBrowser } from './program.ts'

/** How the page of a scene is opened: its size, theme and language. */
export type Look = BrowserContextOptions

/** A page or a state of one, set up with real players on a real server. Resolves with the page of the one who looks. */
export interface Scene {
  readonly name: string
  open(stage: Stage, look: Look): Promise<Page>
}

/** Where scenes are played: a server that trusts JWT_SECRET, with a browser before it. */
export class Stage {
  readonly program: ProgramOfFile
  readonly browser: Browser
  readonly #sessions = new Map<string, Promise<Session>>()

  constructor(program: ProgramOfFile, browser: Browser) {
    this.program = program
    this.browser = browser
  }

  /** The stage of the tests of one file; gone after the last of them. */
  static async ofThisFile(...args: readonly string[]): Promise<Stage> {
    const { program, browser } = await programAndBrowser('--jwt-secret', JWT_SECRET, ...args)
    const stage = new Stage(program, browser)
    afterAll(async () => {
      for (const session of stage.#sessions.values()) (await session).close()
    })
    return stage
  }

  get url(): string {
    return this.program.url
  }

  page(id: string, name: string, look: Look): Promise<Page> {
    return pageAs(this.browser, id, name, look)
  }

  /** The session of a player without a page. */
  player(id: string, name: string): Promise<Session> {
    const session = this.#sessions.get(name) ?? sit(this.url, id, name)
    this.#sessions.set(name, session)
    return session
  }
}

/** A room of `game` made by the player whose page looks on, who sits in it; resolves with the page. */
const table = async (
  stage: Stage,
  look: Look,
  game: string,
  options?: object,
): Promise<{ page: Page; room: string }> => {
  // A host without a page of its own first: the page then goes on with that player.
  const page = await stage.page('sora', nameIn(look, 'sora'), look)
  const host = await stage.player('sora', nameIn(look, 'sora'))
  const room = await host.create(game, options)
  await page.goto(`${stage.url}/play/${room}`)
  await page.locator('.people [data-player-id="sora"]').waitFor()
  return { page, room }
}

const join = async (stage: Stage, look: Look, id: Person, room: string): Promise<Room> =>
  (await stage.player(id, nameIn(look, id))).join(room)

const ticTacToe = async (stage: Stage, look: Look): Promise<{ page: Page; other: Room<typeof tictactoe> }> => {
  const { page, room } = await table(stage, look, 'tictactoe')
  const other = await (await stage.player('minjun', nameIn(look, 'minjun'))).join<typeof tictactoe>(room)
  await page.locator('[data-cell="0"]').waitFor()
  return { page, other }
}

const mark = (page: Page, cell: number): Promise<void> =>
  page.locator(`[data-cell="${cell}"][aria-disabled="false"]`).click()

/** Plays the page's cells and the other's by turns. */
const play = async (page: Page, other: Room<typeof tictactoe>, cells: readonly number[]): Promise<void> => {
  for (const [turn, cell] of cells.entries()) {
    if (turn % 2 === 0) await mark(page, cell)
    else
      await until(
        () =>
          other.move.mark({ cell }).then(
            () => true,
            () => false,
          ),
        `a mark in ${cell}`,
      )
  }
  await page.locator(`[data-cell="${cells.at(-1)}"][data-by][data-sent="false"]`).waitFor()
}

const TOWN: readonly Person[] = ['sora', 'minjun', 'hana', 'jiho', 'ari', 'duri', 'bora']

interface Town {
  readonly page: Page
  readonly rooms: ReadonlyMap<string, Room<typeof mafia>>
}

/** Seven play mafia, until the draw gives the one who looks the wanted role; then the page comes. */
const town = async (stage: Stage, look: Look, role: 'mafia' | 'citizen'): Promise<Town> => {
  const host = await stage.player('sora', nameIn(look, 'sora'))
  for (;;) {
    const id = await host.create('mafia', { night: 600, day: 600 })
    const rooms = new Map<string, Room<typeof mafia>>()
    for (const person of TOWN) {
      rooms.set(person, await (await stage.player(person, nameIn(look, person))).join<typeof mafia>(id))
    }
    const own = rooms.get('sora')
    await own?.start()
    await until(() => [...rooms.values()].every(({ document }) => document.game !== null), 'the first night')
    if (own?.document.game?.role === role) {
      const page = await stage.page('sora', nameIn(look, 'sora'), look)
      await page.goto(`${stage.url}/play/${id}`)
      await page.locator('.mafia[data-phase="night"]').waitFor()
      return { page, rooms }
    }
    for (const room of rooms.values()) await room.leave()
  }
}

/** The night ends by the vote of whoever is mafia among those without a page. */
const dawn = async ({ page, rooms }: Town, victim: string): Promise<void> => {
  for (const room of rooms.values()) {
    if (room.document.game?.role === 'mafia') await room.move.vote({ target: victim })
  }
  await page.locator('.mafia[data-phase="day"]').waitFor()
}

const say = async (room: Room<typeof mafia> | undefined, text: string): Promise<void> => {
  await room?.call('chat', { text, to: 'players' })
}

const chats = (look: Look): readonly [string, string, string] =>
  look.locale === 'ko-KR'
    ? ['어젯밤에 누가 조용했죠?', '저는 두리 님이 수상해요.', '저요? 저는 자고 있었어요!']
    : ['Who was so quiet last night?', 'I don’t trust Duri.', 'Me? I was asleep!']

/** The victim of the night, who is never mafia. */
const victimOf = ({ rooms }: Town): Person => {
  const citizens = TOWN.filter((id) => rooms.get(id)?.document.game?.role === 'citizen')
  return citizens.includes('bora') ? 'bora' : 'ari'
}

export const SCENES: readonly Scene[] = [
  {
    name: 'lobby',
    open: async (stage, look) => {
      const page = await stage.page('sora', nameIn(look, 'sora'), look)
      const host = await stage.player('hana', nameIn(look, 'hana'))
      const rooms = await fetch(`${stage.url}/v1/rooms`).then((answer) => answer.json())
      if (rooms.rooms.length === 0) {
        const room = await host.create('mafia', undefined, { public: true })
        for (const id of ['hana', 'jiho', 'ari'] as const) await join(stage, look, id, room)
      }
      await page.goto(stage.url)
      await page.locator('.rooms li').first().waitFor()
      await page.locator('.card').nth(1).waitFor()
      return page
    },
  },
  {
    name: 'waiting',
    open: async (stage, look) => {
      const { page, room } = await table(stage, look, 'mafia')
      for (const id of ['minjun', 'hana'] as const) await join(stage, look, id, room)
      await page.locator('.people [data-player-id="hana"]').waitFor()
      return page
    },
  },
  {
    name: 'tictactoe',
    open: async (stage, look) => {
      const { page, other } = await ticTacToe(stage, look)
      await play(page, other, [4, 0, 2, 6])
      await page.locator('.ttt[data-turn="mine"]').waitFor()
      return page
    },
  },
  {
    name: 'tictactoe-won',
    open: async (stage, look) => {
      const { page, other } = await ticTacToe(stage, look)
      await play(page, other, [4, 0, 2, 3, 6])
      await page.locator('.afterwards').waitFor()
      return page
    },
  },
  {
    name: 'mafia-night',
    open: async (stage, look) => (await town(stage, look, 'mafia')).page,
  },
  {
    name: 'mafia-day',
    open: async (stage, look) => {
      const scene = await town(stage, look, 'citizen')
      const victim = victimOf(scene)
      await dawn(scene, victim)
      const { page, rooms } = scene
      const lines = chats(look)
      await say(rooms.get('hana'), lines[0])
      await say(rooms.get('jiho'), lines[1])
      await say(rooms.get('duri'), lines[2])
      for (const id of ['hana', 'jiho', 'minjun'] as const) await rooms.get(id)?.move.vote({ target: 'duri' })
      await rooms.get('duri')?.move.vote({ target: 'jiho' })
      await page.getByText(lines[2]).first().waitFor({ state: 'attached' })
      await page.locator('[data-player-id="jiho"] .mafia-votes').waitFor()
      return page
    },
  },
  ...CHARADES,
]
