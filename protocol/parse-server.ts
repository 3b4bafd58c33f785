import { MalformedFrame } from './errors.ts'
import { type ByeFrame, type GameEvent, OP, type ServerFrame, type WelcomeFrame } from './frames.ts'
import { BOOLEAN, CODE, COUNT, DOCUMENT, FIELDS, NUMBER, OPS, REF, type Shape, TEXT } from './shapes.ts'

/**
 * The server's frame that a decoded value is, or null for an op that this version does not know: skip it. Pure.
 * Unknown trailing elements are left out, an unknown error code reads as `internal`.
 * Throws MalformedFrame naming the element that is wrong.
 */
export function parseServerFrame(value: unknown): ServerFrame | null {
  if (!Array.isArray(value) || !Number.isSafeInteger(value[0])) {
    throw new MalformedFrame('not an array that begins with an integer')
  }
  const [op, a, b, c, d]: readonly unknown[] = value
  switch (op) {
    case OP.welcome:
      return parseWelcome(a)
    case OP.ok:
      return [OP.ok, take('OK ref', REF, a), b ?? undefined]
    case OP.err: {
      const ref = a === null || a === undefined ? null : take('ERR ref', REF, a)
      return [OP.err, ref, CODE.is(b) ? b : 'internal', take('ERR message', TEXT, c), d ?? undefined]
    }
    case OP.state:
      return [OP.state, take('STATE room', TEXT, a), take('STATE seq', COUNT, b), take('STATE document', DOCUMENT, c)]
    case OP.patch: {
      const room = take('PATCH room', TEXT, a)
      return [OP.patch, room, take('PATCH from', COUNT, b), take('PATCH seq', COUNT, c), take('PATCH ops', OPS, d)]
    }
    case OP.emit:
      return [OP.emit, take('EMIT room', TEXT, a), take('EMIT seq', COUNT, b), parseEvent(c)]
    case OP.castOut: {
      const room = take('CAST room', TEXT, a)
      return [OP.castOut, room, take('CAST from', TEXT, b), take('CAST channel', TEXT, c), d ?? null]
    }
    case OP.pong:
      return [OP.pong, take('PONG t', NUMBER, a), take('PONG now', NUMBER, b)]
    case OP.note:
      return [OP.note, take('NOTE room', TEXT, a), take('NOTE topic', TEXT, b), c ?? null]
    case OP.bye:
      return parseBye(a, b)
    default:
      return null
  }
}

function take<T>(element: string, shape: Shape<T>, value: unknown): T {
  if (shape.is(value)) return value
  throw new MalformedFrame(`${element}: ${shape.text} was expected`)
}

function parseWelcome(value: unknown): WelcomeFrame {
  const fields = take('WELCOME', FIELDS, value)
  if (fields.v !== 1) throw new MalformedFrame('WELCOME v: 1 was expected')
  const player = take('WELCOME player', FIELDS, fields.player)
  const limits = take('WELCOME limits', FIELDS, fields.limits)
  return [
    OP.welcome,
    {
      v: 1,
      session: take('WELCOME session', TEXT, fields.session),
      player: { id: take('WELCOME player.id', TEXT, player.id), name: take('WELCOME player.name', TEXT, player.name) },
      now: take('WELCOME now', NUMBER, fields.now),
      resumed: take('WELCOME resumed', BOOLEAN, fields.resumed),
      limits: {
        frame: take('WELCOME limits.frame', COUNT, limits.frame),
        rate: take('WELCOME limits.rate', NUMBER, limits.rate),
      },
    },
  ]
}

function parseEvent(value: unknown): GameEvent {
  const event = take('EMIT event', FIELDS, value)
  return { ...event, type: take('EMIT event.type', TEXT, event.type) }
}

function parseBye(reason: unknown, value: unknown): ByeFrame {
  const fields = take('BYE', FIELDS, value)
  const { retryAfter } = fields
  return [
    OP.bye,
    take('BYE reason', TEXT, reason),
    {
      ...(retryAfter === undefined || retryAfter === null
        ? {}
        : { retryAfter: take('BYE retryAfter', NUMBER, retryAfter) }),
      resume: take('BYE resume', BOOLEAN, fields.resume),
    },
  ]
}
