import { expect, test } from 'vitest'
import { z } from 'zod'
import { exampleOf, fieldsOf, startValues } from './fields.ts'

test('a form asks for numbers, choices, yes or no and text as the schema describes them, and starts with its defaults', () => {
  const schema = z.object({
    night: z.number().positive().max(3600).default(30),
    rounds: z.int().min(1).max(9),
    seats: z.int().gt(2).default(4),
    mode: z.enum(['short', 'long']).default('long'),
    open: z.boolean().default(true),
    word: z.string().max(20).optional().describe('The secret word'),
  })
  const options = fieldsOf(z.toJSONSchema(schema, { io: 'input' }))
  expect(options).toMatchObject([
    { kind: 'number', name: 'night', start: 30, min: 0, max: 3600, isInteger: false },
    { kind: 'number', name: 'rounds', start: null, min: 1, max: 9, isInteger: true },
    { kind: 'number', name: 'seats', start: 4, min: 3, isInteger: true },
    { kind: 'choice', name: 'mode', start: 'long', choices: ['short', 'long'] },
    { kind: 'boolean', name: 'open', start: true },
    { kind: 'text', name: 'word', title: 'The secret word', start: null, maxLength: 20 },
  ])
  expect(startValues(options)).toEqual({ night: 30, seats: 4, mode: 'long', open: true })
})

test('what a form cannot ask for keeps what the game gives it', () => {
  expect(fieldsOf({})).toEqual([])
  expect(fieldsOf(z.toJSONSchema(z.object({ words: z.array(z.string()).default([]) })))).toEqual([])
  expect(fieldsOf({ properties: { odd: true, list: { enum: [1, 2] } } })).toEqual([])
})

test('a choice that may be left out starts with nothing, one that is needed with its first', () => {
  const schema = z.object({ colour: z.enum(['red', 'blue']), mood: z.enum(['calm', 'wild']).optional() })
  const fields = fieldsOf(z.toJSONSchema(schema))
  expect(fields).toMatchObject([
    { name: 'colour', isRequired: true },
    { name: 'mood', isRequired: false },
  ])
  expect(startValues(fields)).toEqual({ colour: 'red' })
})

test('an example has the shape that a schema describes', () => {
  const schema = z.object({
    at: z.object({ x: z.int().min(3), on: z.boolean() }),
    words: z.array(z.string()),
    to: z.union([z.literal('all'), z.number()]),
    mood: z.enum(['calm', 'wild']),
  })
  const example = exampleOf(z.toJSONSchema(schema))
  expect(example).toEqual({ at: { x: 3, on: false }, words: [''], to: 'all', mood: 'calm' })
  expect(schema.safeParse(example).success).toBe(true)
  expect(exampleOf({})).toBeNull()
})
