import { SignJWT } from 'jose'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { connect, type Session } from '../../client/client.ts'

/** The secret that the tests' server trusts (`--jwt-secret`): with it the players' ids, and so their masks, are the same in each run. */
export const JWT_SECRET = 'a secret that only tests know, long enough'

const tokenOf = (id: string, name: string): Promise<string> =>
  new SignJWT({ name }).setProtectedHeader({ alg: 'HS256' }).setSubject(id).sign(new TextEncoder().encode(JWT_SECRET))

/** A player without a page. */
export const sit = async (url: string, id: string, name: string): Promise<Session> => {
  const session = connect({ url, token: await tokenOf(id, name) })
  await session.ready
  return session
}

/** A page that plays as the player `id`, as if it had been loaded again. */
export const pageAs = async (
  browser: Browser,
  id: string,
  name: string,
  options: BrowserContextOptions = {},
): Promise<Page> => {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  const kept = JSON.stringify({ name, token: await tokenOf(id, name), session: `session-of-${id}`.padEnd(20, '0') })
  await context.addInitScript(
    ([kept, name]) => {
      sessionStorage.setItem('madang.player', kept ?? '')
      localStorage.setItem('madang.name', name ?? '')
      // As if it had gone past the check before the table, and left video.
      sessionStorage.setItem('madang.video', sessionStorage.getItem('madang.video') ?? '')
    },
    [kept, name],
  )
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  return page
}

/** Those who sit at the tables of scenes. */
const NAMES = {
  en: {
    sora: 'Sora',
    minjun: 'Minjun',
    hana: 'Hana',
    jiho: 'Jiho',
    ari: 'Ari',
    duri: 'Duri',
    bora: 'Bora',
    chan: 'Chan',
  },
  ko: { sora: '소라', minjun: '민준', hana: '하나', jiho: '지호', ari: '아리', duri: '두리', bora: '보라', chan: '찬' },
}
export type Person = keyof typeof NAMES.en
/** What a person is called in the language of the page. */
export const nameIn = (look: Pick<BrowserContextOptions, 'locale'>, id: Person): string =>
  NAMES[look.locale === 'ko-KR' ? 'ko' : 'en'][id]
