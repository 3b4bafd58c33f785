import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { codeOf } from './cannot-start.ts'
import { nearest } from './nearest.ts'

/** What to print, and how to end, in place of running: `--help` (0, to stdout), or what is wrong with the command line (2, to stderr). */
export interface CliExit {
  exit: 0 | 2
  text: string
}

/** How `--help` and the parser treat a flag, beside its zod schema, which turns the text into a value. */
interface FlagMeta {
  description: string
  /** Stands for the value in `--help`; a flag without one is on or off. */
  value?: string
  /** The default as `--help` shows it, where it is not plain. */
  otherwise?: string
  /** Never printed, and may be read from a file: `--jwt-secret-file`, MADANG_JWT_SECRET_FILE. */
  secret?: boolean
}

/** A flag: its schema from the text that was given, with what `--help` says. The schema's messages complete "must be …". */
export const flag = <Schema extends z.ZodType>(schema: Schema, meta: FlagMeta): Schema => {
  metas.set(schema, meta)
  return schema
}
const metas = new WeakMap<z.ZodType, FlagMeta>()

export interface Command<Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** As typed: `replay ROOM`. */
  usage: string
  about: string
  /** Names of the operands, all required. */
  operands: readonly string[]
  flags: z.ZodObject<Shape>
}

export interface Parsed<Shape extends z.ZodRawShape> {
  values: z.output<z.ZodObject<Shape>>
  operands: string[]
  /** Keys of the flags that were given, on the command line or in the environment. */
  given: ReadonlySet<string>
}

export const usageError = (message: string): CliExit => ({ exit: 2, text: `madang: ${message}` })

/** The values of a command line, flags before environment before defaults; or what to print instead. Reads the files of `--x-file`. */
export const parseFlags = <Shape extends z.ZodRawShape>(
  command: Command<Shape>,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Parsed<Shape> | CliExit => {
  const specs = specsOf(command)
  const line = readLine(specs, argv)
  if ('exit' in line) return line
  if (line.help) return { exit: 0, text: helpOf(command) }
  if (line.operands.length !== command.operands.length) return wrongOperands(command, line.operands)

  const texts = new Map<string, { text: string; from: string }>()
  for (const spec of specs) {
    const found = lookUp(spec, line.values, env)
    if (found === null) continue
    if ('exit' in found) return found
    texts.set(spec.key, found)
  }
  const result = command.flags.safeParse(Object.fromEntries([...texts].map(([key, { text }]) => [key, text])))
  if (result.success) return { values: result.data, operands: line.operands, given: new Set(texts.keys()) }
  const issue = result.error.issues[0]
  const given = texts.get(String(issue?.path[0]))
  const spec = specs.find((each) => each.key === String(issue?.path[0]))
  if (given === undefined) return usageError(`${spec?.name ?? 'the command line'} must be ${issue?.message}.`)
  const was = spec?.meta.secret ? '' : `, not "${given.text}"`
  return usageError(`${given.from} must be ${issue?.message}${was}.`)
}

/** What `madang COMMAND --help` prints. */
const helpOf = (command: Command): string => {
  const rows = specsOf(command).map(({ name, env, meta, schema }) => {
    const initial = schema.safeParse(undefined)
    const otherwise = meta.otherwise ?? (initial.success && initial.data !== undefined ? String(initial.data) : 'none')
    const notes = [...(meta.value ? [`default ${otherwise}`] : []), env, ...(meta.secret ? [`or ${name}-file`] : [])]
    return [`  ${name}${meta.value ? ` ${meta.value}` : ''}`, `${meta.description} (${notes.join('; ')})`] as const
  })
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  const flags = rows.map(([left, right]) => left.padEnd(width) + right).join('\n')
  return `Usage: madang ${command.usage} [FLAGS]\n\n${command.about}\n\n${flags}\n`
}

interface Spec {
  key: string
  name: string
  env: string
  meta: FlagMeta
  schema: z.ZodType
}

const specsOf = (command: Command): Spec[] =>
  Object.entries(command.flags.shape).map(([key, schema]) => {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const type = z.instanceof(z.ZodType).parse(schema)
    const meta = metas.get(type)
    if (meta === undefined) throw new Error(`flag ${key} has no description`)
    return { key, name: `--${name}`, env: `MADANG_${name.replaceAll('-', '_').toUpperCase()}`, meta, schema: type }
  })

interface Line {
  values: Map<string, string>
  operands: string[]
  help: boolean
}

const SWITCHED = /^(true|false|on|off|yes|no|1|0)$/

const readLine = (specs: Spec[], argv: readonly string[]): Line | CliExit => {
  const line: Line = { values: new Map(), operands: [], help: false }
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--help' || word === '-h') {
      line.help = true
      continue
    }
    if (word === '--') {
      line.operands.push(...rest.splice(0))
      continue
    }
    if (!word.startsWith('-') || word === '-') {
      line.operands.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    const inline = equals < 0 ? undefined : word.slice(equals + 1)
    const spec = specs.find((each) => accepted(each).includes(name))
    if (spec === undefined) return unknownFlag(specs, name)
    let text: string | undefined
    if (spec.meta.value !== undefined) text = inline ?? rest.shift()
    else if (name.startsWith('--no-')) text = inline === undefined ? 'false' : undefined
    else text = inline ?? (SWITCHED.test(rest[0] ?? '') ? rest.shift() : 'true')
    if (text === undefined)
      return usageError(`${name} ${spec.meta.value ? `needs a value: ${name} ${spec.meta.value}` : 'takes no value'}.`)
    if (line.values.has(name)) return usageError(`${name} is given twice.`)
    line.values.set(name, text)
  }
  return line
}

/** The spellings of a flag. */
const accepted = ({ name, meta }: Spec): string[] => {
  if (meta.value === undefined) return [name, `--no-${name.slice(2)}`]
  return meta.secret ? [name, `${name}-file`] : [name]
}

/** The text of a flag and where it came from; null where it was not given. An empty variable counts as not given. */
const lookUp = (
  spec: Spec,
  line: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): { text: string; from: string } | CliExit | null => {
  const [name, other = ''] = accepted(spec)
  const sources = [
    { from: spec.name, text: line.get(spec.name), also: other, alsoText: line.get(other) },
    {
      from: spec.env,
      text: env[spec.env] || undefined,
      also: `${spec.env}_FILE`,
      alsoText: spec.meta.secret ? env[`${spec.env}_FILE`] || undefined : undefined,
    },
  ]
  for (const { from, text, also, alsoText } of sources) {
    if (text !== undefined && alsoText !== undefined) return usageError(`${from} and ${also} are both given: give one.`)
    if (text !== undefined) return { text, from }
    if (alsoText === undefined) continue
    if (!spec.meta.secret) return { text: alsoText, from: name ?? also }
    try {
      return { text: readFileSync(alsoText, 'utf8').trim(), from: also }
    } catch (error) {
      return usageError(`${also} ${alsoText} cannot be read (${codeOf(error)}).`)
    }
  }
  return null
}

const unknownFlag = (specs: Spec[], name: string): CliExit => {
  const near = nearest(name, [...specs.flatMap(accepted), '--help'])
  return usageError(`unknown flag ${name}.${near === null ? '' : ` Did you mean ${near}?`} See --help.`)
}

const wrongOperands = (command: Command, operands: readonly string[]): CliExit => {
  const extra = operands[command.operands.length]
  if (extra !== undefined)
    return usageError(`unexpected "${extra}": usage is madang ${command.usage} [FLAGS]. See --help.`)
  return usageError(
    `${command.operands[operands.length]} is missing: usage is madang ${command.usage} [FLAGS]. See --help.`,
  )
}
