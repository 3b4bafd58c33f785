import { MalformedFrame, Refusal } from './errors.ts'
import { type ClientFrame, type HelloFrame, OP, PROTOCOL_VERSION, SESSION_ID } from './frames.ts'
import { BOOLEAN, COUNT, FIELDS, NAMED, NUMBER, REF, ROLE, ROOM, type Shape, TEXT } from './shapes.ts'

export { parseServerFrame } from './parse-server.ts'

/**
 * The client's frame that a decoded value is, optional elements that are nil left out, unknown ones too. Pure.
 * Throws Refusal `bad_frame` naming the element that is wrong, or the unknown op; MalformedFrame where the value is not an array
 * that begins with an integer.
 */
export function parseClientFrame(value: unknown): ClientFrame {
  if (!Array.isArray(value) || !Number.isSafeInteger(value[0])) {
    throw new MalformedFrame('not an array that begins with an integer')
  }
  const [op, a, b, c, d]: readonly unknown[] = value
  switch (op) {
    case OP.hello:
      return parseHello(a)
    case OP.create:
      return [OP.create, take('CREATE ref', REF, a), take('CREATE game', NAMED, b), c ?? undefined, parseCreateExtra(d)]
    case OP.join:
      return [OP.join, take('JOIN ref', REF, a), take('JOIN room', ROOM, b), parseJoinExtra(c)]
    case OP.leave:
      return [OP.leave, take('LEAVE ref', REF, a), take('LEAVE room', ROOM, b)]
    case OP.move:
      return [
        OP.move,
        take('MOVE ref', REF, a),
        take('MOVE room', ROOM, b),
        take('MOVE type', NAMED, c),
        d ?? undefined,
      ]
    case OP.cast:
      return [OP.cast, take('CAST room', ROOM, a), take('CAST channel', NAMED, b), c ?? undefined]
    case OP.call:
      return [
        OP.call,
        take('CALL ref', REF, a),
        take('CALL room', ROOM, b),
        take('CALL method', NAMED, c),
        d ?? undefined,
      ]
    case OP.ping:
      return [OP.ping, take('PING t', NUMBER, a)]
    case OP.match:
      return [OP.match, take('MATCH ref', REF, a), take('MATCH game', NAMED, b), c ?? undefined]
    case OP.input:
      return [OP.input, take('INPUT room', ROOM, a), b ?? undefined]
    default:
      throw new Refusal('bad_frame', `${op} is not the op of a client's frame`)
  }
}

function take<T>(element: string, shape: Shape<T>, value: unknown): T {
  if (shape.is(value)) return value
  throw new Refusal('bad_frame', `${element}: ${shape.text} was expected`)
}

const takeOptional = <T>(element: string, shape: Shape<T>, value: unknown): T | undefined =>
  value === undefined || value === null ? undefined : take(element, shape, value)

function parseHello(value: unknown): HelloFrame {
  const fields = take('HELLO', FIELDS, value)
  if (fields.v !== PROTOCOL_VERSION) throw new Refusal('bad_frame', `HELLO v: this server speaks ${PROTOCOL_VERSION}`)
  const token = takeOptional('HELLO token', TEXT, fields.token)
  const session = takeOptional('HELLO session', TEXT, fields.session)
  const client = takeOptional('HELLO client', TEXT, fields.client)
  return [
    OP.hello,
    {
      v: PROTOCOL_VERSION,
      ...(token === undefined ? {} : { token }),
      // One that is not a session counts as none: the server makes one.
      ...(session !== undefined && SESSION_ID.test(session) ? { session } : {}),
      ...(client === undefined ? {} : { client }),
    },
  ]
}

function parseCreateExtra(value: unknown): { public?: boolean } {
  const isPublic = takeOptional('CREATE public', BOOLEAN, takeOptional('CREATE extra', FIELDS, value)?.public)
  return isPublic === undefined ? {} : { public: isPublic }
}

function parseJoinExtra(value: unknown): { role?: 'player' | 'spectator'; since?: number } {
  const fields = takeOptional('JOIN extra', FIELDS, value)
  const role = takeOptional('JOIN role', ROLE, fields?.role)
  const since = takeOptional('JOIN since', COUNT, fields?.since)
  return { ...(role === undefined ? {} : { role }), ...(since === undefined ? {} : { since }) }
}
