/** A part of an object that a form can ask for: an option of a game, or a part of a move. */
export type Field = { readonly name: string; readonly title: string; readonly isRequired: boolean } & (
  | {
      readonly kind: 'number'
      readonly start: number | null
      readonly min: number | null
      readonly max: number | null
      readonly isInteger: boolean
    }
  | { readonly kind: 'boolean'; readonly start: boolean }
  | { readonly kind: 'choice'; readonly start: string | null; readonly choices: readonly string[] }
  | { readonly kind: 'text'; readonly start: string | null; readonly maxLength: number | null }
)

export type Value = string | number | boolean | undefined
export type Values = Readonly<Record<string, Value>>

/** The parts of an object that a form can ask for, by its JSON Schema; other kinds of parts are left out. Pure. */
export const fieldsOf = (schema: object): Field[] => {
  const properties = at(schema, 'properties')
  if (typeof properties !== 'object' || properties === null) return []
  const required: unknown = at(schema, 'required')
  const isRequired = (name: string): boolean => Array.isArray(required) && required.includes(name)
  return Object.entries(properties).flatMap(([name, property]) => fieldOf(name, property, isRequired(name)) ?? [])
}

/** What a form starts with. Pure. */
export const startValues = (fields: readonly Field[]): Values =>
  Object.fromEntries(fields.flatMap(({ name, start }) => (start === null ? [] : [[name, start]])))

/** Whether a form of fields can ask for all of it: an object without parts of other kinds. Pure. */
export const isWholeForm = (schema: object): boolean =>
  at(schema, 'type') === 'object' && fieldsOf(schema).length === Object.keys(Object(at(schema, 'properties'))).length

/** A value of the shape that a JSON Schema describes, for who must write one by hand. Pure. */
export const exampleOf = (schema: unknown): unknown => {
  const [one] = [at(schema, 'enum')].flat()
  const fixed = at(schema, 'const') ?? one
  if (fixed !== undefined) return fixed
  const [kind] = [at(schema, 'anyOf') ?? at(schema, 'oneOf')].flat()
  if (kind !== undefined) return exampleOf(kind)
  switch (at(schema, 'type')) {
    case 'object': {
      const properties = Object.entries(Object(at(schema, 'properties')))
      return Object.fromEntries(properties.map(([name, property]) => [name, exampleOf(property)]))
    }
    case 'array':
      return [exampleOf(at(schema, 'items'))]
    case 'string':
      return ''
    case 'number':
    case 'integer':
      return number(at(schema, 'minimum')) ?? 0
    case 'boolean':
      return false
    default:
      return null
  }
}

const fieldOf = (name: string, property: unknown, isRequired: boolean): Field | null => {
  const title = text(at(property, 'title')) ?? text(at(property, 'description')) ?? name
  const start = at(property, 'default')
  const choices = at(property, 'enum')
  if (Array.isArray(choices) && choices.every((choice) => typeof choice === 'string')) {
    return {
      kind: 'choice',
      name,
      title,
      isRequired,
      choices,
      start: text(start) ?? (isRequired ? choices[0] : null) ?? null,
    }
  }
  const type = at(property, 'type')
  switch (type) {
    case 'number':
    case 'integer':
      return {
        kind: 'number',
        name,
        title,
        isRequired,
        start: number(start),
        min: number(at(property, 'minimum')) ?? above(number(at(property, 'exclusiveMinimum')), type === 'integer'),
        max: number(at(property, 'maximum')),
        isInteger: type === 'integer',
      }
    case 'boolean':
      return { kind: 'boolean', name, title, isRequired, start: start === true }
    case 'string':
      return { kind: 'text', name, title, isRequired, start: text(start), maxLength: number(at(property, 'maxLength')) }
    default:
      return null
  }
}

/** A form knows no exclusive bound: the next whole number, or for fractions the bound itself, which the server checks. */
const above = (bound: number | null, isInteger: boolean): number | null =>
  bound === null ? null : isInteger ? Math.floor(bound) + 1 : bound

const at = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null)
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
