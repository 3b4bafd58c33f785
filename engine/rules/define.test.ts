import { describe, expect, it } from 'vitest'
import { assign, createMachine, emit, fromPromise, log, not, raise, sendTo, setup, spawnChild, stopChild } from 'xstate'
import { z } from 'zod'
import { defineGame } from './define.ts'
import { createRunner } from './runner.ts'

const good = { id: 'lab', version: 1, title: 'Lab', players: [2, 4], moves: { go: z.object({ n: z.number() }) } }
const idle = { initial: 'idle', states: { idle: { on: { go: {} } } } }
const shows = { everyone: () => ({}) }

/** What defineGame says, as a plain JavaScript author would call it. */
const refusal = (head: object, config: object = idle, face: object = shows, parts: object = {}): string => {
  try {
    const machine = setup(parts).createMachine(config)
    Reflect.apply(defineGame, undefined, [{ head: { ...good, ...head } }, machine, face])
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
  return 'no refusal'
}

describe('defineGame', () => {
  it('takes a good game, and nothing else runs', () => {
    expect(refusal({})).toBe('no refusal')
    expect(() => createRunner({ ...good, machine: createMachine({}), ...shows })).toThrow('what defineGame returned')
  })

  it.each([
    [{ id: undefined }, 'id must be 1 to 32 of a-z'],
    [{ id: 'Tic Tac' }, 'id must be 1 to 32 of a-z'],
    [{ id: '3d' }, 'beginning with a letter, not "3d"'],
    [{ id: 'x'.repeat(33) }, 'id must be'],
    [{ version: 0 }, 'version must be a whole number from 1, not 0'],
    [{ version: 1.5 }, 'version must be'],
    [{ version: undefined }, 'version must be'],
    [{ title: '' }, 'title must be a text'],
    [{ title: {} }, 'title must be a text'],
    [{ players: undefined }, 'players must be [fewest, most]'],
    [{ players: [0, 2] }, 'players must be'],
    [{ players: [4, 2] }, 'not [4,2]'],
    [{ players: [2] }, 'players must be'],
    [{ options: { seconds: 3 } }, 'options must be a schema'],
    [{ moves: undefined }, 'moves must be schemas by name'],
    [{ moves: { go: 3 } }, 'move "go" needs a schema'],
    [{ moves: { ...good.moves, tick: z.object({}) } }, 'move "tick" has the name of an event of the room'],
    [{ moves: { ...good.moves, 'player.left': z.object({}) } }, 'move "player.left" has the name of an event'],
    [{ moves: { ...good.moves, 'xstate.init': z.object({}) } }, 'move "xstate.init" has the name'],
    [{ moves: { ...good.moves, 'media.x': z.object({}) } }, 'has the name'],
    [{ moves: { ...good.moves, 'room.x': z.object({}) } }, 'has the name'],
    [{ moves: { ...good.moves, 'a b': z.object({}) } }, 'move "a b" must be named by'],
    [{ moves: { ...good.moves, 'a.b': z.object({}) } }, 'move "a.b" must be named by'],
    [{ personal: ['chat.text'] }, "personal 'chat.text' names no move: the moves are go"],
    [{ personal: ['go'] }, 'must be a move and a path'],
    [{ personal: 'go.n' }, 'personal must be a list of paths'],
  ])('refuses the head with %j', (head, line) => {
    expect(refusal(head)).toContain(line)
  })

  it('says all that is wrong, a line each', () => {
    expect(refusal({ id: 'X', version: 0 }).split('\n')).toHaveLength(2)
  })

  it.each([
    [{}, 'everyone is missing'],
    [{ ...shows, only: {} }, 'only must be a function'],
    [{ ...shows, tick: { rate: 20, input: z.object({}) } }, 'tick games are not supported yet'],
    [{ ...shows, autoStart: 'yes' }, 'autoStart must be true or false'],
    [{ ...shows, lobbyMedia: 'some' }, "lobbyMedia must be 'all' or 'none', not \"some\""],
    [{ ...shows, channels: { stroke: { rate: 4 } } }, 'channel "stroke" needs maxBytes and rate'],
    [{ ...shows, migrate: { one: () => ({}) } }, 'migrate["one"] must be a function under the number'],
    [{ ...shows, result: () => 1 }, 'result is there, but the machine never ends'],
  ])('refuses views such as %j', (face, line) => {
    expect(refusal({}, idle, face)).toContain(line)
  })

  it('takes a result of a machine that can end: at the top, or in all regions', () => {
    const face = { ...shows, result: () => 1 }
    const ends = { initial: 'a', states: { a: { on: { go: 'z' } }, z: { type: 'final' } } }
    expect(refusal({}, ends, face)).toBe('no refusal')
    expect(refusal({}, { type: 'parallel', states: { x: ends, y: ends } }, face)).toBe('no refusal')
    expect(refusal({}, { type: 'parallel', states: { x: ends, y: idle } }, face)).toContain('never ends')
    expect(refusal({}, { initial: 'x', states: { x: ends } }, face)).toContain('never ends')
  })

  const wait = fromPromise(async () => 1)
  it.each([
    ['invoke', { ...idle, invoke: { src: wait } }, {}, 'invoke at the machine: a game has no children'],
    [
      'invoke in a state',
      { initial: 'a', states: { a: { initial: 'b', states: { b: { invoke: { src: wait } } } } } },
      {},
      'invoke at state "a.b"',
    ],
    ['actors in setup', idle, { actors: { wait } }, 'actor "wait" in setup: a game has no children'],
    [
      'spawnChild',
      { ...idle, entry: spawnChild(wait) },
      {},
      'an action of the machine is spawnChild: a game has no children',
    ],
    ['stopChild', { ...idle, exit: stopChild('x') }, {}, 'is stopChild'],
    ['sendTo', { ...idle, on: { go: { actions: sendTo('x', { type: 'y' }) } } }, {}, 'is sendTo'],
    ['sendTo in setup', idle, { actions: { tell: sendTo('x', { type: 'y' }) } }, 'action "tell" is sendTo'],
    [
      'a plain function',
      { ...idle, entry: function shout() {} },
      {},
      'is a plain function (shout), which would never run',
    ],
    ['a plain function in setup', idle, { actions: { shout: () => {} } }, 'action "shout" is a plain function'],
    [
      'an action that is not there',
      { ...idle, entry: 'shuot' },
      {},
      'is named "shuot", which setup({ actions }) does not have',
    ],
    [
      'a guard that is not there',
      { ...idle, on: { go: { guard: 'alivee' } } },
      {},
      'is named "alivee", which setup({ guards })',
    ],
    ['a guard in not()', { ...idle, on: { go: { guard: not('alivee') } } }, {}, 'is named "alivee"'],
    [
      'a delay that is not there',
      { initial: 'a', states: { a: { after: { nihgt: 'b' } }, b: {} } },
      {},
      'waits for delay "nihgt"',
    ],
    ['an event that is no move', { ...idle, on: { gone: {} } }, {}, 'the machine waits for "gone", which is no move'],
    ['a pattern that fits nothing', { ...idle, on: { 'plyer.*': {} } }, {}, 'waits for "plyer.*"'],
  ])('refuses %s', (_, config, parts, line) => {
    expect(refusal({}, config, shows, parts)).toContain(line)
  })

  it.each([
    [
      'assign, emit, raise and log',
      {
        ...idle,
        entry: [assign({}), emit({ type: 'x' }), log('hi')],
        on: { go: { actions: raise({ type: 'again' }) }, again: {} },
      },
    ],
    [
      'events of the room and wildcards',
      { ...idle, on: { 'player.left': {}, 'player.*': {}, 'media.speaking': {}, '*': {} } },
    ],
    ['after in ms', { initial: 'a', states: { a: { after: { 50: 'b' } }, b: {} } }],
  ])('takes %s', (_, config) => {
    expect(refusal({}, config)).toBe('no refusal')
  })

  it('refuses what is no machine', () => {
    expect(() => Reflect.apply(defineGame, undefined, [{ head: good }, {}, shows])).toThrow('must be a machine')
    expect(() => Reflect.apply(defineGame, undefined, [])).toThrow('gameType')
  })
})
