import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { temporaryFolder } from '../program.ts'

// Firefox as Debian ships it speaks WebDriver BiDi by itself: no driver beside it, and no build of a tool's own. This is the
// little of that protocol that a test needs.

/** A page of a Firefox. */
export interface FirefoxPage {
  goto(url: string): Promise<void>
  /** What a function of the page's own returns; `argument` is handed to it. Rejects with what it threw. */
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>
  /** Clicks in the middle of the one element that `selector` names, with a real pointer. */
  click(selector: string): Promise<void>
  /** Resolves once `selector` names an element whose text contains `text`; rejects after 30 s. */
  shows(selector: string, text?: string): Promise<void>
}

const WAIT_MS = 30_000

type Answer =
  | { id: number; type: 'success'; result: unknown }
  | { id: number; type: 'error'; error: string; message: string }

/** The Firefox that MADANG_FIREFOX names, else Debian's; null where it names none. */
export const FIREFOX = process.env.MADANG_FIREFOX === '' ? null : (process.env.MADANG_FIREFOX ?? '/usr/bin/firefox-esr')

/** A Firefox without windows, of a profile of its own with these preferences. `close` ends it. */
export const launchFirefox = async (
  preferences: Readonly<Record<string, boolean>> = {},
): Promise<{ page: FirefoxPage; close(): Promise<void> }> => {
  const profile = temporaryFolder()
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${value});\n`)
  writeFileSync(join(profile.path, 'user.js'), lines.join(''))
  const command = FIREFOX ?? 'firefox-esr'
  const args = ['--headless', '--no-remote', '--profile', profile.path, '--remote-debugging-port', '0']
  const firefox = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: profile.path },
  })
  const gone = once(firefox, 'exit')
  const address = Promise.withResolvers<string>()
  createInterface({ input: firefox.stderr }).on('line', (line) => {
    const found = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1]
    if (found !== undefined) address.resolve(found)
  })
  void gone.then(() => address.reject(new Error(`${command} ended before it could be driven`)))
  const bidi = await openBidi(`${await address.promise}/session`)
  await bidi.ask('session.new', { capabilities: {} })
  const [context] = listOf(await bidi.ask('browsingContext.getTree', {}), 'contexts')
  const page = pageOf(bidi, String(Reflect.get(Object(context), 'context')))
  return {
    page,
    async close() {
      bidi.close()
      firefox.kill('SIGKILL')
      await gone
      profile[Symbol.dispose]()
    },
  }
}

interface Bidi {
  ask(method: string, params: object): Promise<unknown>
  close(): void
}

const openBidi = async (url: string): Promise<Bidi> => {
  const socket = new WebSocket(url)
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  socket.addEventListener('message', ({ data }) => {
    const answer: Answer = JSON.parse(String(data))
    const asked = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (answer.type === 'error') asked?.reject(new Error(`${answer.error}: ${answer.message}`))
    else asked?.resolve(answer.result)
  })
  await once(socket, 'open')
  let last = 0
  return {
    ask(method, params) {
      const asked = Promise.withResolvers<unknown>()
      waiting.set(++last, asked)
      socket.send(JSON.stringify({ id: last, method, params }))
      return asked.promise
    },
    close: () => socket.close(),
  }
}

const pageOf = (bidi: Bidi, context: string): FirefoxPage => {
  const page: FirefoxPage = {
    async goto(url) {
      await bidi.ask('browsingContext.navigate', { context, url, wait: 'complete' })
    },
    async evaluate(run, argument) {
      // Values travel as JSON: BiDi's own form of them is richer than a test needs.
      const functionDeclaration = `async () => JSON.stringify(await (${run})(${JSON.stringify(argument)})) ?? 'null'`
      const params = { functionDeclaration, target: { context }, awaitPromise: true, userActivation: false }
      const outcome = Object(await bidi.ask('script.callFunction', params))
      if (outcome.type !== 'success') throw new Error(outcome.exceptionDetails?.text ?? 'the page threw')
      return JSON.parse(outcome.result.value)
    },
    async click(selector) {
      await page.shows(selector)
      const origin = {
        type: 'element',
        element: await elementOf(bidi, context, selector),
      }
      const actions = [
        { type: 'pointerMove', x: 0, y: 0, origin },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ]
      await bidi.ask('input.performActions', { context, actions: [{ type: 'pointer', id: 'mouse', actions }] })
    },
    async shows(selector, text = '') {
      const isThere = await page.evaluate(
        async ({ selector, text, wait }) => {
          const end = performance.now() + wait
          for (;;) {
            const found = [...document.querySelectorAll(selector)].some((element) =>
              element.textContent?.includes(text),
            )
            if (found) return true
            if (performance.now() > end) return false
            await new Promise(requestAnimationFrame)
          }
        },
        { selector, text, wait: WAIT_MS },
      )
      if (!isThere) throw new Error(`Firefox showed no ${selector} with “${text}” within ${WAIT_MS} ms`)
    },
  }
  return page
}

/** The element that `selector` names, as a reference for BiDi. */
const elementOf = async (bidi: Bidi, context: string, selector: string): Promise<{ sharedId: string }> => {
  const nodes = await bidi.ask('browsingContext.locateNodes', { context, locator: { type: 'css', value: selector } })
  const [node, ...more] = listOf(nodes, 'nodes')
  const sharedId: unknown = Reflect.get(Object(node), 'sharedId')
  if (typeof sharedId !== 'string' || more.length > 0) throw new Error(`${selector} names ${more.length + 1} elements`)
  return { sharedId }
}

const listOf = (value: unknown, name: string): unknown[] => {
  const list: unknown = Reflect.get(Object(value), name)
  return Array.isArray(list) ? list : []
}
