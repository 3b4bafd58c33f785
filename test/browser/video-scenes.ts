import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Room } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import { until } from '../program.ts'
import { nameIn, type Person } from './people.ts'
import { sitBeforeCamera } from './portraits.ts'
import type { Look, Scene, Stage } from './scenes.ts'
import { moves, pictureOf } from './with-devices.ts'

/** Eight: then two of them are mafia, who see each other by night. */
const TOWN: readonly Person[] = ['sora', 'minjun', 'hana', 'jiho', 'ari', 'duri', 'bora', 'chan']

interface Town {
  readonly id: string
  readonly rooms: ReadonlyMap<Person, Room<typeof mafia>>
}

/** They play mafia, until the draw gives Sora the wanted role. */
const town = async (stage: Stage, look: Look, role: 'mafia' | 'citizen'): Promise<Town> => {
  const host = await stage.player('sora', nameIn(look, 'sora'))
  for (;;) {
    const id = await host.create('mafia', { night: 600, day: 600 })
    const rooms = new Map<Person, Room<typeof mafia>>()
    for (const person of TOWN)
      rooms.set(person, await (await stage.player(person, nameIn(look, person))).join<typeof mafia>(id))
    await rooms.get('sora')?.start()
    await until(() => [...rooms.values()].every(({ document }) => document.game !== null), 'the first night')
    if (rooms.get('sora')?.document.game?.role === role) return { id, rooms }
    for (const room of rooms.values()) await room.leave()
  }
}

/** Somebody's page with camera and microphone. */
const beforeCamera = async (stage: Stage, look: Look, person: Person, id: string): Promise<Page> => {
  const page = await stage.page(person, nameIn(look, person), look)
  await sitBeforeCamera(page.context(), TOWN.indexOf(person))
  await page.goto(`${stage.url}/play/${id}?av=on`)
  await page.locator('.people [data-you="true"] .mirrored').waitFor({ state: 'attached' })
  return page
}

/** What Sora sees, with these before their cameras too; `close` of the page's context ends them all. */
const seen = async (stage: Stage, look: Look, id: string, others: readonly Person[]): Promise<Page> => {
  const page = await beforeCamera(stage, look, 'sora', id)
  const small: Look = { ...look, viewport: { width: 390, height: 600 } }
  for (const person of others) {
    const other = await beforeCamera(stage, small, person, id)
    page.context().on('close', () => void other.context().close())
  }
  for (const person of others) {
    const tile = await pictureOf(page, person).boundingBox()
    // What is out of view does not come.
    if (tile !== null && tile.x + tile.width <= (page.viewportSize()?.width ?? 0)) await moves(page, person)
  }
  return page
}

const withRole = ({ rooms }: Town, role: 'mafia' | 'citizen'): Person[] =>
  TOWN.filter((person) => person !== 'sora' && rooms.get(person)?.document.game?.role === role)

/** A night as one of the mafia sees it, and the day after as one of the town does. */
export const VIDEO_SCENES: readonly (Scene & Pick<Look, 'colorScheme'>)[] = [
  {
    name: 'video-night',
    colorScheme: 'dark',
    open: async (stage, look) => {
      const table = await town(stage, look, 'mafia')
      return seen(stage, look, table.id, withRole(table, 'mafia'))
    },
  },
  {
    name: 'video-day',
    colorScheme: 'light',
    open: async (stage, look) => {
      const table = await town(stage, look, 'citizen')
      const victim = withRole(table, 'citizen').at(-1) ?? expect.fail('nobody lives here')
      for (const person of withRole(table, 'mafia')) await table.rooms.get(person)?.move.vote({ target: victim })
      const living = TOWN.filter((person) => person !== victim && person !== 'sora')
      const [suspect, second] = living
      await until(() => table.rooms.get('sora')?.document.game?.phase === 'day', 'the day')
      for (const person of living.slice(2, 5)) await table.rooms.get(person)?.move.vote({ target: suspect ?? '' })
      await table.rooms.get(suspect ?? 'sora')?.move.vote({ target: second ?? '' })
      return seen(stage, look, table.id, living.slice(0, 5))
    },
  },
]
