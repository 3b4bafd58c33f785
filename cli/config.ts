import { isIP } from 'node:net'
import { z } from 'zod'
import type { IceServer } from '../media/signalling.ts'
import { messageOf } from '../protocol/errors.ts'
import { type CliExit, type Command, flag, parseFlags, usageError } from './flags.ts'
import { readIceServers } from './ice-servers.ts'
import { natsConflict } from './nats-access.ts'
import { NATS_FLAGS } from './nats-flags.ts'
import { duration, file, isFolder, isOrigin, isUrlOf, list, oneOf, switched, text, whole } from './values.ts'

const ROLES = ['gateway', 'engine', 'media'] as const
const EMBEDDED = ['memory', 'sqlite-full'] as const
const ON_NATS = ['jetstream-r1', 'jetstream-r3', 'jetstream-r3-fsync'] as const
const DURABILITIES = [...EMBEDDED, ...ON_NATS] as const
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const LARGEST_FRAME_BYTES = 262_144

const iceServers = text.transform((given, context): IceServer[] => {
  try {
    return readIceServers(given)
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) })
    return z.NEVER
  }
})

/** All flags of `madang start`: `--help`, the environment variables and what is accepted come from here. */
const START = {
  usage: 'start',
  about:
    'Runs Madang. Without flags: everything in one process, on http://localhost:3000, data in ./data, guests welcome. With --nats and --roles: one of many.',
  operands: [],
  flags: z.object({
    host: flag(text.default('127.0.0.1'), { value: 'ADDRESS', description: 'where clients connect' }),
    port: flag(whole(0, 65_535).default(3000), {
      value: 'N',
      description: 'where clients connect; 0 picks a free one',
    }),
    adminHost: flag(text.default('127.0.0.1'), {
      value: 'ADDRESS',
      description: 'where /metrics, /healthz, /readyz and /admin are; not on loopback: needs --admin-token',
    }),
    adminPort: flag(whole(0, 65_535).default(3001), {
      value: 'N',
      description: 'the port for these; without this flag, the next free one if it is taken',
    }),
    adminToken: flag(text.optional(), {
      value: 'S',
      secret: true,
      description: 'what /admin asks for as Authorization: Bearer',
    }),
    data: flag(text.default('./data'), { value: 'DIR', description: 'log, snapshots and keys; not used with --nats' }),
    ...NATS_FLAGS,
    roles: flag(
      text.default('all').transform((given, context) => readRoles(given, context)),
      {
        value: 'gateway,engine,media',
        otherwise: 'all',
        description: 'which roles this process runs; fewer than all need --nats',
      },
    ),
    games: flag(
      list
        .refine((folders) => folders.length > 0 && folders.every(isFolder), 'folders that exist, with commas between')
        .optional(),
      { value: 'DIR[,DIR]', otherwise: 'the sample games', description: 'where games are' },
    ),
    durability: flag(oneOf(DURABILITIES).optional(), {
      value: 'LEVEL',
      otherwise: 'sqlite-full, or jetstream-r1 with --nats',
      description: `what an acknowledged move survives (docs/durability.md): ${DURABILITIES.join(', ')}`,
    }),
    jwtSecret: flag(text.optional(), {
      value: 'S',
      secret: true,
      description: 'verify tokens with this HS256 secret; turns guests off',
    }),
    jwksUrl: flag(text.refine(isUrlOf(['http:', 'https:']), 'an http or https URL').optional(), {
      value: 'URL',
      description: 'verify tokens with the keys found there; turns guests off',
    }),
    jwtIssuer: flag(text.optional(), { value: 'NAME', description: 'the issuer that tokens must name' }),
    jwtAudience: flag(text.optional(), { value: 'NAME', description: 'the audience that tokens must name' }),
    guests: flag(switched.optional(), {
      description: 'let anyone in under a name; on without a JWT key; --no-guests turns it off',
    }),
    origins: flag(
      list
        .refine((origins) => origins.every(isOrigin), 'origins such as https://play.example.com, with commas between')
        .optional(),
      { value: 'A,B', otherwise: 'the same host', description: 'which web pages may connect' },
    ),
    trustProxy: flag(whole(0, 32).default(0), {
      value: 'N',
      description: 'how many proxies in front set X-Forwarded-For',
    }),
    tlsCert: flag(file.optional(), { value: 'FILE', description: 'certificate (PEM): https and wss on the same port' }),
    tlsKey: flag(file.optional(), { value: 'FILE', description: 'its key (PEM)' }),
    mediaIp: flag(text.refine((given) => isIP(given) !== 0, 'an IP address').default('127.0.0.1'), {
      value: 'IP',
      description: 'where RTP arrives',
    }),
    mediaPort: flag(whole(0, 65_535).default(44_444), {
      value: 'N',
      description:
        'where RTP arrives, UDP and TCP, plus 1 for each further worker; without this flag, free ones if taken',
    }),
    mediaAnnounce: flag(text.optional(), {
      value: 'ADDRESS',
      description: 'the address for RTP that clients are told',
    }),
    mediaWorkers: flag(whole(1, 1024).optional(), {
      value: 'N',
      otherwise: 'one per core',
      description: 'media worker processes',
    }),
    iceServers: flag(iceServers.optional(), {
      value: 'URLS',
      secret: true,
      description: 'STUN and TURN servers that clients are told',
    }),
    rate: flag(whole(1, 100_000).default(50), {
      value: 'N',
      description: "a player's frames per second, sustained; a burst may be twice that",
    }),
    frame: flag(whole(1024, LARGEST_FRAME_BYTES).default(16_384), { value: 'BYTES', description: 'the largest frame' }),
    retention: flag(duration.optional(), {
      value: 'TIME',
      otherwise: 'keep',
      description: 'how long finished rooms are kept; this version keeps them for good',
    }),
    logLevel: flag(oneOf(LOG_LEVELS).default('info'), {
      value: 'LEVEL',
      description: `what is logged: ${LOG_LEVELS.join(', ')}`,
    }),
  }),
} satisfies Command

type StartFlags = z.output<typeof START.flags>

/** What `madang start` runs with. */
export interface Config extends Omit<StartFlags, 'guests' | 'durability' | 'retention'> {
  guests: boolean
  durability: (typeof DURABILITIES)[number]
  /** The admin port was asked for: a taken one is an error then, else the next free one will do. */
  isAdminPortGiven: boolean
  /** The same for the media port. */
  isMediaPortGiven: boolean
}

/** The configuration that a command line and environment say, or what to print instead. */
export const parseStart = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config | CliExit => {
  const parsed = parseFlags(START, argv, env)
  if ('exit' in parsed) return parsed
  const { guests: guestsFlag, durability, retention, ...rest } = parsed.values
  const problem = conflictIn(parsed.values)
  if (problem !== null) return usageError(problem)
  if (retention !== undefined && retention !== null)
    return usageError('this version keeps finished rooms for good: leave out --retention, or say --retention keep.')
  const hasKey = rest.jwtSecret !== undefined || rest.jwksUrl !== undefined
  return {
    ...rest,
    durability: durability ?? (rest.nats === undefined ? 'sqlite-full' : 'jetstream-r1'),
    guests: guestsFlag ?? !hasKey,
    isAdminPortGiven: parsed.given.has('adminPort'),
    isMediaPortGiven: parsed.given.has('mediaPort'),
  }
}

/** The level of a configuration with `nats`, which has one of these. */
export const durabilityOnNats = ({ durability }: Config): (typeof ON_NATS)[number] => z.enum(ON_NATS).parse(durability)

/** What is wrong between flags that are fine one by one, or null. */
const conflictIn = (flags: StartFlags): string | null => {
  const hasKey = flags.jwtSecret !== undefined || flags.jwksUrl !== undefined
  if (flags.jwtSecret !== undefined && flags.jwksUrl !== undefined)
    return '--jwt-secret and --jwks-url are both given: give one.'
  if (!hasKey && flags.jwtIssuer !== undefined) return '--jwt-issuer needs --jwt-secret or --jwks-url.'
  if (!hasKey && flags.jwtAudience !== undefined) return '--jwt-audience needs --jwt-secret or --jwks-url.'
  if (!hasKey && flags.guests === false) return 'nobody could enter: --no-guests needs --jwt-secret or --jwks-url.'
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined))
    return '--tls-cert and --tls-key go together: give both.'
  if (!isLoopback(flags.adminHost) && flags.adminToken === undefined)
    return `--admin-host ${flags.adminHost} is open to others: give an --admin-token.`
  if (flags.nats === undefined && flags.roles.length < ROLES.length)
    return `--roles ${flags.roles.join(',')} alone needs --nats: the roles meet there.`
  return natsConflict(flags) ?? durabilityConflict(flags)
}

const durabilityConflict = ({ nats, durability }: StartFlags): string | null => {
  const fitting: readonly string[] = nats === undefined ? EMBEDDED : ON_NATS
  if (durability === undefined || fitting.includes(durability)) return null
  return nats === undefined
    ? `--durability ${durability} needs --nats; without it: ${fitting.join(', ')}.`
    : `--durability ${durability} is for one machine; with --nats: ${fitting.join(', ')}.`
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

const readRoles = (given: string, context: z.RefinementCtx): (typeof ROLES)[number][] => {
  if (given === 'all') return [...ROLES]
  const named = z.array(z.enum(ROLES)).safeParse(given.split(',').map((role) => role.trim()))
  if (named.success) return ROLES.filter((role) => named.data.includes(role))
  context.addIssue({ code: 'custom', message: 'some of gateway, engine, media, with commas between' })
  return []
}
