import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { expect, vi } from 'vitest'
import { serve } from './server.ts'

export const SESSION = 'session-of-a-test-000'

export interface SentEvent {
  id: string | undefined
  frame: unknown[]
}

/** The events in the text of a stream, comments left out. */
const eventsIn = (text: string): SentEvent[] =>
  text
    .split('\n\n')
    .slice(0, -1)
    .filter((block) => block.startsWith('event: frame\n'))
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      const frame: unknown = JSON.parse(field('data') ?? 'null')
      return { id: field('id'), frame: Array.isArray(frame) ? frame : [frame] }
    })

/** A gateway, and a guest's ways to call it over HTTP. */
export const seat = async (options: Parameters<typeof serve>[0] = {}) => {
  const served = await serve(options)
  const { token, player, cookie } = await served.guest('Ann')
  const headers = { authorization: `Bearer ${token}`, 'madang-session': SESSION }

  const post = (body: unknown, more: Record<string, string> = {}) =>
    fetch(`${served.url}/v1/send`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', ...more },
      body: body instanceof Uint8Array ? new Uint8Array(body) : typeof body === 'string' ? body : JSON.stringify(body),
    })
  const get = (path: string, more: Record<string, string> = {}) =>
    fetch(`${served.url}/v1/${path}`, { headers: { ...headers, ...more } })

  /** An open event stream, and what came on it. */
  const stream = async (path: string, more: Record<string, string> = {}) => {
    const state = { text: '', isOver: false }
    const { response, outgoing } = await new Promise<{ response: IncomingMessage; outgoing: ClientRequest }>(
      (resolve, reject) => {
        const outgoing = request(`${served.url}/v1/${path}`, { headers: { ...headers, ...more } }, (response) =>
          resolve({ response, outgoing }),
        )
        outgoing.on('error', reject).end()
      },
    )
    response.setEncoding('utf8').on('data', (text: string) => {
      state.text += text
    })
    response
      .on('error', () => {})
      .on('close', () => {
        state.isOver = true
      })
    return {
      response,
      state,
      events: () => eventsIn(state.text),
      got: async (count: number) => {
        await vi.waitFor(() => expect(eventsIn(state.text).length).toBeGreaterThanOrEqual(count), { timeout: 20_000 })
        return eventsIn(state.text)
      },
      over: () => vi.waitFor(() => expect(state.isOver).toBe(true), { timeout: 20_000 }),
      leave: () => outgoing.destroy(),
    }
  }

  /** The connection that this Read (counted from 0) attaches, once it has come. */
  const conn = async (index: number): Promise<number> => {
    await vi.waitFor(() => expect(served.engine.reads.length).toBeGreaterThan(index), { timeout: 20_000 })
    return served.engine.reads[index]?.attach?.conn ?? 0
  }
  return { ...served, token, player, cookie: cookie.split(';')[0] ?? '', headers, post, get, stream, conn }
}

export const bodyOf = async (response: Response): Promise<unknown> => JSON.parse(await response.text())

/** Expects problem details with a way out. */
export const expectProblem = async (response: Response, status: number, code: string) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await bodyOf(response)).toMatchObject({ status, code, detail: expect.stringMatching(/\w/) })
  expect(response.status).toBe(status)
}
