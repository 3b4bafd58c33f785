import { z } from 'zod'
import type { IceServer } from '../media/signalling.ts'

const FORM =
  'stun:HOST and turn:USER:CREDENTIAL@HOST with commas between, or a JSON array of {urls, username, credential}'
const URL_FORM = /^(stuns?|turns?):(?:([^@]+)@)?([^@/?\s]+)(\?transport=(?:udp|tcp))?$/

const listed = z.array(
  z.strictObject({
    urls: z.union([z.string(), z.array(z.string()).min(1)]),
    username: z.string().optional(),
    credential: z.string().optional(),
  }),
)

/** The servers that a text names, one per URL; throws Error with a message that completes "must be …". Credentials are never part of it. */
export const readIceServers = (given: string): IceServer[] => {
  const text = given.trim()
  if (!text.startsWith('[')) return text.split(',').map((url) => iceServer(url.trim()))
  return parsed(text).flatMap(({ urls, username, credential }) =>
    [urls].flat().map((url) => iceServer(url, username, credential)),
  )
}

const parsed = (text: string): z.output<typeof listed> => {
  try {
    return listed.parse(JSON.parse(text))
  } catch {
    throw new Error(FORM)
  }
}

const iceServer = (url: string, username?: string, credential?: string): IceServer => {
  const [, scheme, user, host, transport = ''] = URL_FORM.exec(url) ?? []
  if (scheme === undefined || host === undefined) throw new Error(FORM)
  const urls = `${scheme}:${host}${transport}`
  if (scheme.startsWith('stun')) {
    if (user !== undefined || transport !== '') throw new Error(`${FORM}: ${scheme}:${host} takes nothing but a host`)
    return { urls }
  }
  const colon = user?.indexOf(':') ?? -1
  const name = user === undefined ? username : decoded(user.slice(0, colon))
  const secret = user === undefined ? credential : decoded(user.slice(colon + 1))
  if ((user !== undefined && colon < 1) || !name || !secret)
    throw new Error(`${FORM}: ${urls} needs a user and a credential`)
  return { urls, username: name, credential: secret }
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
