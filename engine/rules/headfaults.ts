import { ROOM_EVENTS } from './types.ts'

const ID = /^[a-z][a-z0-9-]{0,31}$/
const MOVE = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const OTHERS_EVENT = /^(xstate|player|media|room)\./

type Record_ = Readonly<Record<string, unknown>>
const isRecord = (value: unknown): value is Record_ => typeof value === 'object' && value !== null
const isSchema = (value: unknown): boolean =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value
const isText = (value: unknown): boolean =>
  typeof value === 'string'
    ? value !== ''
    : isRecord(value) &&
      Object.values(value).length > 0 &&
      Object.values(value).every((text) => typeof text === 'string' && text !== '')

/** What is wrong with a game's names and views, a line each; pure. Rules may be plain JavaScript: types promise nothing here. */
export const headFaults = (head: unknown, face: unknown): string[] => {
  if (!isRecord(head)) return ['the first argument of defineGame must be what gameType<…>()({ … }) returned']
  if (!isRecord(face)) return ['the third argument of defineGame must hold the views, at least `everyone`']
  return [...nameFaults(head), ...moveFaults(head), ...faceFaults(face)]
}

function* nameFaults(head: Record_): Generator<string> {
  if (typeof head.id !== 'string' || !ID.test(head.id))
    yield `id must be 1 to 32 of a-z, 0-9 and -, beginning with a letter, not ${show(head.id)}`
  if (typeof head.version !== 'number' || !Number.isSafeInteger(head.version) || head.version < 1)
    yield `version must be a whole number from 1, not ${show(head.version)}`
  if (!isText(head.title)) yield `title must be a text, or texts by language ({ en: '…', ko: '…' })`
  const [min, max, ...more] = Array.isArray(head.players) ? head.players : []
  if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && 1 <= min && min <= max && more.length === 0))
    yield `players must be [fewest, most], whole numbers from 1, not ${show(head.players)}`
  if (head.options !== undefined && !isSchema(head.options))
    yield 'options must be a schema, such as z.object({ seconds: z.number().default(30) })'
}

function* moveFaults(head: Record_): Generator<string> {
  const { moves } = head
  if (!isRecord(moves) || Array.isArray(moves)) {
    yield 'moves must be schemas by name, such as { mark: z.object({ cell: z.number() }) }'
    return
  }
  for (const [name, schema] of Object.entries(moves)) {
    if (ROOM_EVENTS.some((event) => event === name) || OTHERS_EVENT.test(name) || name === 'tick')
      yield `move "${name}" has the name of an event of the room or of XState: give it another`
    else if (!MOVE.test(name))
      yield `move "${name}" must be named by 1 to 64 of letters, digits, _ and -, beginning with a letter`
    if (!isSchema(schema)) yield `move "${name}" needs a schema of its payload, such as z.object({ … })`
  }
  if (head.personal === undefined) return
  if (!Array.isArray(head.personal)) {
    yield "personal must be a list of paths, such as ['chat.text']"
    return
  }
  for (const path of head.personal) {
    const [move, ...keys] = typeof path === 'string' ? path.split('.') : []
    if (move === undefined || keys.length === 0 || keys.includes(''))
      yield `personal ${show(path)} must be a move and a path in its payload, such as 'chat.text'`
    else if (!Object.hasOwn(moves, move))
      yield `personal '${path}' names no move: the moves are ${Object.keys(moves).join(', ')}`
  }
}

const FUNCTIONS = ['only', 'media', 'legal', 'explain', 'result'] as const

function* faceFaults(face: Record_): Generator<string> {
  if (typeof face.everyone !== 'function') yield 'everyone is missing: (s) => ({ … what everyone may know … })'
  for (const name of FUNCTIONS)
    if (face[name] !== undefined && typeof face[name] !== 'function') yield `${name} must be a function of the state`
  if (face.tick !== undefined) yield 'tick games are not supported yet: leave `tick` out'
  for (const name of ['autoStart', 'dropIn'])
    if (face[name] !== undefined && typeof face[name] !== 'boolean') yield `${name} must be true or false`
  if (![undefined, 'all', 'none'].some((choice) => face.lobbyMedia === choice))
    yield `lobbyMedia must be 'all' or 'none', not ${show(face.lobbyMedia)}`
  for (const [name, channel] of Object.entries(isRecord(face.channels) ? face.channels : {})) {
    const { maxBytes, rate } = isRecord(channel) ? channel : {}
    if (typeof maxBytes !== 'number' || !(maxBytes > 0) || typeof rate !== 'number' || !(rate > 0))
      yield `channel "${name}" needs maxBytes and rate (messages a second), both above 0`
  }
  for (const [name, audience] of Object.entries(isRecord(face.chat) ? face.chat : {}))
    for (const side of ['from', 'to'] as const)
      if (!isRecord(audience) || (audience[side] !== undefined && typeof audience[side] !== 'function'))
        yield `chat "${name}" takes {from, to}: functions of the state and a member`
  for (const [from, carry] of Object.entries(isRecord(face.migrate) ? face.migrate : {}))
    if (!/^[1-9]\d*$/.test(from) || typeof carry !== 'function')
      yield `migrate[${show(from)}] must be a function under the number of the older version`
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text === undefined ? String(value) : text
}
