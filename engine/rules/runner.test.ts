import { describe, expect, it } from 'vitest'
import { emit, setup } from 'xstate'
import { z } from 'zod'
import { defineGame } from './define.ts'
import { gameType } from './gametype.ts'
import { createRunner } from './runner.ts'
import { go, head, keeping, type Lab, lab, start, thrown } from './testing/lab.ts'

describe('what a game says of itself', () => {
  it('comes with its defaults, its personal paths and its options as JSON Schema', () => {
    const { runner } = start(keeping(() => 1))
    expect(runner).toMatchObject({ id: 'lab', version: 3, title: head.title, players: [1, 4], moves: ['go', 'chat'] })
    expect(runner).toMatchObject({ autoStart: false, dropIn: false, lobbyMedia: 'all', hasOnly: false, channels: {} })
    expect(runner.personal).toEqual({ chat: [['text'], ['to']] })
    expect(runner.optionsSchema).toMatchObject({
      type: 'object',
      properties: { wait: { type: 'number', default: 100 } },
    })
    expect(runner.moveSchemas).toMatchObject({ go: { type: 'object', properties: { n: { type: 'number' } } } })
  })

  it('fills in the defaults of options and payloads, and refuses others with the issues path by path', () => {
    const { runner } = start(keeping(() => 1))
    expect(runner.parseOptions(undefined)).toEqual({ wait: 100 })
    expect(runner.parseMove('go', {})).toEqual({ n: 1 })
    for (const [parse, message, detail] of [
      [() => runner.parseMove('go', { n: 'x' }), /^go: n: /, [{ path: ['n'] }]],
      [() => runner.parseMove('go', null), /^go: /, [{ path: [] }]],
      [() => runner.parseMove('gone', {}), /lab has no move "gone"; it has go, chat/, []],
      [() => runner.parseMove('constructor', {}), /lab has no move "constructor"/, []],
      [() => runner.parseOptions({ wait: 'long' }), /^options: wait: /, [{ path: ['wait'] }]],
    ] as const)
      expect(parse).toThrow(
        expect.objectContaining({
          code: 'invalid_payload',
          message: expect.stringMatching(message),
          detail: detail.map((issue) => expect.objectContaining(issue)),
        }),
      )
  })

  it('refuses what is no plain data: the sender is told where it sent it, the author where the schema made it', () => {
    const loose = gameType<Lab>()({
      ...head,
      personal: [],
      moves: { any: z.any(), map: z.object({}).transform(() => new Map()), late: z.string().refine(async () => true) },
    })
    const machine = setup({ types: loose.types }).createMachine({ context: { wait: 0, got: null } })
    const runner = createRunner(defineGame(loose, machine, { everyone: () => ({}) }))
    expect(runner.parseMove('any', { deep: [1, 'x', null] })).toEqual({ deep: [1, 'x', null] })
    const binary = () => runner.parseMove('any', { deep: new Uint8Array(2) })
    expect(binary).toThrow(
      expect.objectContaining({ code: 'invalid_payload', message: expect.stringContaining('any.deep') }),
    )
    expect(thrown(() => runner.parseMove('map', {})).message).toContain('map is a Map: its schema must give plain data')
    expect(thrown(() => runner.parseMove('late', 'x')).message).toContain('asynchronous')
  })
})

describe('emits and views', () => {
  it('emits come in order, with `to` apart from the event', () => {
    const machine = lab.createMachine({
      context: { wait: 0, got: null },
      on: {
        go: {
          actions: [
            emit({ type: 'bang', loud: true }),
            emit({ type: 'psst', to: ['ann'] }),
            emit({ type: 'nobody', to: [] }),
          ],
        },
      },
    })
    const { runner, state } = start(machine)
    expect(runner.step(state, go)?.emits).toEqual([
      { event: { type: 'bang', loud: true }, to: null },
      { event: { type: 'psst' }, to: ['ann'] },
      { event: { type: 'nobody' }, to: [] },
    ])
  })

  it('a move that nothing takes is null; one that only emits is taken', () => {
    const machine = lab.createMachine({
      context: { wait: 0, got: null },
      on: { go: { actions: emit({ type: 'bang' }) } },
    })
    const { runner, state } = start(machine)
    expect(runner.step(state, { ...go, type: 'chat' })).toBeNull()
    expect(runner.step(state, go)?.emits).toHaveLength(1)
  })

  it('only may not show what everyone shows', () => {
    const { runner, state } = start(
      keeping(() => 1),
      { everyone: () => ({ a: 1 }), only: () => ({ b: 2, a: 3 }) },
    )
    expect(runner.hasOnly).toBe(true)
    expect(thrown(() => runner.only(state, 'ann')).message).toContain('only shows "a", which everyone shows too')
  })

  it('views show plain data', () => {
    const { runner, state } = start(
      keeping(() => 1),
      { everyone: () => ({ at: new Date(0) }), only: () => [] },
    )
    expect(thrown(() => runner.everyone(state)).message).toBe('lab: everyone.at is a Date: views show plain data only')
    expect(thrown(() => runner.only(state, null)).message).toContain('only must return an object')
  })

  it('without media everybody sees and hears the players; a wrong policy is refused', () => {
    const open = start(keeping(() => 1))
    expect(open.runner.media(open.state, null)).toEqual({ see: 'all', hear: 'all' })
    const { runner, state } = start(
      keeping(() => 1),
      {
        media: (_: object, viewer: string | null) =>
          viewer === 'bo' ? undefined : { see: viewer ? ['bo'] : 'some', hear: 'none' },
      },
    )
    expect(thrown(() => runner.media(state, 'bo')).message).toContain('media gave undefined')
    expect(runner.media(state, 'ann')).toEqual({ see: ['bo'], hear: 'none' })
    expect(thrown(() => runner.media(state, null)).message).toContain('media gave see: "some"')
  })

  it('explain gives the text as the game has it', () => {
    const texts = [{ ko: '아니요', en: 'No' }, { ko: '아니요' }, 'Plain', null]
    const { runner, state } = start(
      keeping(() => 1),
      { explain: (_: object, { payload }: { payload: { n: number } }) => texts[payload.n] },
    )
    const said = texts.map((_, n) => runner.explain(state, { type: 'go', by: 'ann', payload: { n } }))
    expect(said).toEqual(texts)
    expect(start(keeping(() => 1)).runner.explain(state, go)).toBeNull()
  })

  it('a channel is closed without `from`, and reaches the players without `to`', () => {
    const channels = {
      mute: { maxBytes: 10, rate: 1 },
      open: { maxBytes: 10, rate: 1, from: (_: object, player: string) => player === 'ann' },
      aside: {
        maxBytes: 10,
        rate: 1,
        from: () => true,
        to: (_: object, player: string, viewer: string | null) => viewer === player,
      },
    }
    const { runner, state } = start(
      keeping(() => 1),
      { channels },
    )
    const cast = (channel: string) => ['ann', 'bo'].map((player) => runner.mayCast(state, channel, player))
    const receive = (channel: string) =>
      ['ann', 'bo', null].map((viewer) => runner.mayReceive(state, channel, 'ann', viewer))
    expect([cast('mute'), cast('open'), cast('aside'), cast('toString')]).toEqual([
      [false, false],
      [true, false],
      [true, true],
      [false, false],
    ])
    expect([receive('mute'), receive('aside'), receive('no')]).toEqual([
      [true, true, false],
      [true, false, false],
      [false, false, false],
    ])
    expect(runner.channels).toEqual({
      mute: { maxBytes: 10, rate: 1 },
      open: { maxBytes: 10, rate: 1 },
      aside: { maxBytes: 10, rate: 1 },
    })
  })
})
