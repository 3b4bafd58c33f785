import type { StandardJSONSchemaV1 } from '@standard-schema/spec'
import { Refusal } from '../../protocol/errors.ts'
import { RulesError, type StandardSchemaV1 } from './game.ts'
import { impurity, seal } from './plain.ts'

/** Returns the value as the schema makes it, frozen plain data; throws Refusal `invalid_payload` with the issues path by path. */
export const parse = (schema: StandardSchemaV1, value: unknown, what: string): unknown => {
  const outcome = schema['~standard'].validate(value)
  if (outcome instanceof Promise) throw new RulesError(`the schema of ${what} is asynchronous: rules cannot wait`)
  if (outcome.issues !== undefined) {
    const issues = outcome.issues.map(({ path = [], message }) => ({
      path: path.map((step) => keyOf(typeof step === 'object' ? step.key : step)),
      message,
    }))
    const first = issues.map(({ path, message }) => [...path, message].join(': '))[0] ?? 'it does not fit its schema'
    throw new Refusal('invalid_payload', `${what}: ${first}`, issues)
  }
  if (outcome.value === undefined) return undefined
  const flaw = seal(outcome.value, what)
  if (flaw === null) return outcome.value
  // A schema that lets anything through gives back what came, such as binary.
  if (impurity(value, what) !== null) throw new Refusal('invalid_payload', `${flaw}: moves hold plain data only`, [])
  throw new RulesError(`${flaw}: its schema must give plain data`)
}

const keyOf = (key: PropertyKey): string | number => (typeof key === 'symbol' ? String(key) : key)

/** Returns the schema's input as JSON Schema 2020-12, or `{}` where its library cannot say; pure. */
export const jsonSchema = (schema: StandardSchemaV1 | undefined): object => {
  const converter: unknown = Object(schema?.['~standard']).jsonSchema
  if (!isConverter(converter)) return {}
  try {
    return converter.input({ target: 'draft-2020-12' })
  } catch {
    return {} // the library cannot put this schema into words; rooms can still be made with it
  }
}

/** Standard JSON Schema: an addition to Standard Schema that not every library has. */
const isConverter = (value: unknown): value is StandardJSONSchemaV1.Converter =>
  typeof value === 'object' && value !== null && 'input' in value && typeof value.input === 'function'
