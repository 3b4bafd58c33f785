import { splitFrames } from '../../protocol/batch.ts'
import { concat, encode, type Limits } from '../../protocol/codec.ts'
import { parseJsonFrames, stringifyFrames } from '../../protocol/json.ts'
import type { HttpReply } from './reply.ts'

/** The forms that frames have in HTTP bodies. */
export type Form = 'json' | 'msgpack'

const TYPES = { json: 'application/json', msgpack: 'application/vnd.msgpack' } as const satisfies Record<Form, string>

/** What a client may send, for `Accept` of a reply. */
export const FORM_TYPES = Object.values(TYPES).join(', ')

/** Returns the form that a Content-Type names; null for any other. Pure. */
export const formOf = (type: string | undefined): Form | null => {
  const name = (type ?? '').split(';')[0]?.trim().toLowerCase()
  if (name === TYPES.json) return 'json'
  return name === TYPES.msgpack ? 'msgpack' : null
}

/** Returns the form that an Accept header likes best, or `otherwise` where it names none. Pure. */
export const acceptedForm = (accept: string | undefined, otherwise: Form): Form => {
  let best: { form: Form; weight: number } | null = null
  for (const range of (accept ?? '').split(',')) {
    const form = formOf(range)
    const weight = Number(/;\s*q=([\d.]+)/i.exec(range)?.[1] ?? 1)
    if (form && weight > (best?.weight ?? 0)) best = { form, weight }
  }
  return best?.form ?? otherwise
}

/** Returns the bytes of each frame of a body. Pure. Throws MalformedFrame where one is none, or breaks a limit of form. */
export const framesIn = (body: Uint8Array, form: Form, limits: Limits): Uint8Array[] => {
  if (form === 'msgpack') return splitFrames(body, limits)
  return parseJsonFrames(utf8.decode(body), limits).map((frame) => encode(frame))
}
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Returns the reply that holds these frames. Pure. */
export const framesReply = (frames: readonly unknown[], form: Form): HttpReply & { body: Uint8Array } => ({
  status: 200,
  headers: { 'Content-Type': TYPES[form], 'Cache-Control': 'no-store' },
  body: form === 'msgpack' ? concat(...frames.map((frame) => encode(frame))) : Buffer.from(stringifyFrames(frames)),
})
