import { describe, expect, test } from 'vitest'
import type { TransportName } from '../../client/client.ts'
import { TRANSPORTS } from '../../client/link.ts'
import type mafia from '../../games/mafia/rules.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { until } from '../program.ts'
import { programOfThisFile } from '../wire/program.ts'
import type yard from '../wire/testing/yard/rules.ts'
import { backward, enter, PROGRAM, sit } from './seats.ts'

const { url } = await programOfThisFile(...PROGRAM)
type TicTacToe = typeof tictactoe
type Yard = typeof yard

describe.each(TRANSPORTS)('by %s', (transport: TransportName) => {
  describe.concurrent('everything in a room works', () => {
    test('join, moves and their documents before the OKs, refusals, again', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      expect(ann.transport.current).toBe(transport)
      const id = await ann.create('tictactoe')
      const a = await enter<TicTacToe>(ann, id)
      expect(a.room.document.room).toMatchObject({ phase: 'open', host: ann.player?.id, players: [ann.player?.id] })
      await expect(a.room.move.mark({ cell: 0 })).rejects.toMatchObject({ code: 'illegal_move' })
      const b = await enter<TicTacToe>(bob, id)
      await until(() => a.room.document.room.phase === 'playing', 'the start')
      expect(a.room.document.room.members[bob.player?.id ?? '']).toMatchObject({ name: 'Bob', connected: true })
      await expect(a.room.move.mark({ cell: 12 })).rejects.toMatchObject({ code: 'invalid_payload' })
      for (const [{ room }, cell] of [
        [a, 0],
        [b, 3],
        [a, 1],
        [b, 4],
        [a, 2],
      ] as const) {
        await until(() => room.document.game?.turn === room.document.room.players[room === a.room ? 0 : 1], 'the turn')
        const seq = await room.move.mark({ cell })
        expect(room.seq).toBe(seq)
        expect(room.document.game?.cells[cell]).toBe(room === a.room ? ann.player?.id : bob.player?.id)
      }
      await until(() => b.room.seq === a.room.seq, "the last move in the other's document")
      expect(b.room.document).toEqual(a.room.document)
      expect(a.room.document).toMatchObject({ room: { phase: 'over' }, game: { winner: ann.player?.id } })
      expect([backward(a), backward(b)]).toEqual([[], []])
      await expect(a.room.move.mark({ cell: 8 })).rejects.toMatchObject({ code: 'illegal_move' })
      const next = await a.room.again()
      expect(await b.room.again()).toBe(next)
      const again = await enter<TicTacToe>(ann, next)
      expect(again.room.document.room).toMatchObject({ phase: 'playing', players: a.room.document.room.players })
    })

    test('each refusal has its code', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      await expect(ann.join('nowhere')).rejects.toMatchObject({ code: 'not_found' })
      await expect(ann.create('nothing')).rejects.toMatchObject({ code: 'not_found' })
      await expect(ann.create('mafia', { night: -1 })).rejects.toMatchObject({ code: 'invalid_payload' })
      const id = await bob.create('mafia')
      const { room } = await enter(ann, id)
      await expect(room.start()).rejects.toMatchObject({ code: 'forbidden' })
      await expect(room.kick(bob.player?.id ?? '')).rejects.toMatchObject({ code: 'forbidden' })
      await expect(room.call('dance')).rejects.toMatchObject({ code: 'not_found' })
      const own = await enter(ann, await ann.create('mafia'))
      await expect(own.room.start()).rejects.toMatchObject({ code: 'conflict' })
      const full = await bob.create('tictactoe')
      using cho = await sit(url, 'Cho', 'websocket')
      await bob.join(full)
      await cho.join(full)
      await expect(ann.join(full, { role: 'player' })).rejects.toMatchObject({ code: 'room_full' })
      const watched = await enter<TicTacToe>(ann, full)
      expect(watched.room.role).toBe('spectator')
      await expect(watched.room.move.mark({ cell: 0 })).rejects.toMatchObject({ code: 'forbidden' })
    })

    test('P3 each EMIT is heard once, in order, by whom it is for, with and without a change of the document', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      const id = await bob.create('yard')
      const b = await enter<Yard>(bob, id)
      const a = await enter<Yard>(ann, id)
      const expected: string[] = []
      for (let i = 0; i < 24; i++) {
        await b.room.move.shout({ text: `all ${i}` })
        await b.room.move.shout({ text: `Ann ${i}`, to: ann.player?.id ?? '' })
        await b.room.move.shout({ text: `Bob ${i}`, to: bob.player?.id ?? '' })
        if (i % 3 === 0) await b.room.move.say({ text: `said ${i}` })
        if (i % 8 === 0) await a.room.move.shout({ text: `own ${i}` })
        expected.push(`all ${i}`, `Ann ${i}`, ...(i % 8 === 0 ? [`own ${i}`] : []))
      }
      const heard = (): unknown[] => a.emits.map(({ event }) => Reflect.get(event, 'text'))
      await until(() => heard().length >= expected.length, 'all shouts')
      await a.room.move.say({ text: 'the end' })
      expect(heard()).toEqual(expected)
      expect(a.emits.map(({ seq }) => seq)).toEqual(a.emits.map(({ seq }) => seq).toSorted((x, y) => x - y))
      expect(a.room.document.game?.said.at(-1)).toBe('the end')
    })

    test('CAST: binary and not, both ways, to whom the channel allows; refused ones are told', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      using eve = await sit(url, 'Eve', transport)
      const id = await ann.create('yard')
      const a = await enter<Yard>(ann, id)
      const b = await enter<Yard>(bob, id)
      const e = await enter<Yard>(eve, id, { role: 'spectator' })
      a.room.cast('stroke', new Uint8Array([0, 255, 1, 2]))
      await until(() => b.casts.length === 1, "Ann's stroke")
      expect(b.casts).toEqual([{ from: ann.player?.id, channel: 'stroke', payload: new Uint8Array([0, 255, 1, 2]) }])
      const payload = { $x: 1, bytes: new Uint8Array([7, 0]), list: [null, 'é'] }
      b.room.cast('whisper', payload)
      b.room.cast('balcony', 'for those who watch')
      await until(() => a.casts.length === 1 && e.casts.length === 1, "Bob's words")
      expect(a.casts).toEqual([{ from: bob.player?.id, channel: 'whisper', payload }])
      expect(e.casts).toEqual([{ from: bob.player?.id, channel: 'balcony', payload: 'for those who watch' }])
      const errors: string[] = []
      ann.on('error', ({ code }) => errors.push(code))
      a.room.cast('mute', 1)
      await until(() => errors.length === 1, 'the refusal')
      expect(errors).toEqual(['forbidden'])
    })

    test('chat: lines go both ways, and the last ones come with JOIN', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      using late = await sit(url, 'Late', transport)
      const id = await bob.create('mafia')
      const b = await enter<typeof mafia>(bob, id)
      const a = await enter<typeof mafia>(ann, id)
      const lines = (notes: typeof a.notes): unknown[] =>
        notes.filter(({ topic }) => topic === 'chat').map(({ data }) => Reflect.get(Object(data), 'text'))
      await a.room.call('chat', { text: 'hello' })
      await until(() => lines(b.notes).length === 1, "Ann's line")
      await b.room.call('chat', { text: '안녕' })
      await until(() => lines(a.notes).length === 2, "Bob's line")
      expect(lines(a.notes)).toEqual(['hello', '안녕'])
      const l = await enter<typeof mafia>(late, id)
      await until(() => lines(l.notes).length === 2, 'the lines from before')
      expect(lines(l.notes)).toEqual(['hello', '안녕'])
    })

    test('spectator: sees what all see, and takes a seat where the rules allow it', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      const id = await bob.create('yard')
      const b = await enter<Yard>(bob, id)
      const a = await enter<Yard>(ann, id, { role: 'spectator' })
      expect(a.room.role).toBe('spectator')
      expect(a.room.document.game).toEqual(b.room.document.game)
      await b.room.move.say({ text: 'seen' })
      await until(() => a.room.document.game?.said.includes('seen'), "Bob's move")
      await ann.join(id, { role: 'player' })
      expect(a.room.role).toBe('player')
      await a.room.move.say({ text: 'mine' })
      expect(a.room.document.game).toMatchObject({ said: ['seen', 'mine'], present: [bob.player?.id, ann.player?.id] })
    })

    test('leave: out of the room for oneself and for the others, and back in again', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      const id = await bob.create('yard')
      const b = await enter<Yard>(bob, id)
      const first = await enter<Yard>(ann, id)
      await first.room.leave()
      expect(first.room.closed?.why).toBe('left')
      await until(() => b.room.document.game?.present.length === 1, 'one to be gone')
      await expect(first.room.move.say({ text: 'late' })).rejects.toMatchObject({ code: 'not_member' })
      const second = await enter<Yard>(ann, id)
      await second.room.move.say({ text: 'back' })
      await until(() => b.room.document.game?.said.at(-1) === 'back', 'the move')
    })

    test('kick: the host puts somebody out, who is told so; by either transport', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', 'websocket')
      for (const [host, guest] of [
        [ann, bob],
        [bob, ann],
      ] as const) {
        const id = await host.create('mafia')
        const hosts = await enter<typeof mafia>(host, id)
        const guests = await enter<typeof mafia>(guest, id)
        await until(() => hosts.room.document.room.players.length === 2, 'the guest')
        await hosts.room.kick(guest.player?.id ?? '')
        expect(hosts.room.document.room.players).toEqual([host.player?.id])
        await until(() => guests.room.closed !== null, 'the news')
        expect(guests.room.closed).toMatchObject({ error: { code: 'forbidden' } })
        await expect(guest.join(id)).rejects.toMatchObject({ code: 'forbidden' })
      }
    })

    test('match: two who ask for the same meet', async () => {
      using ann = await sit(url, 'Ann', transport)
      using bob = await sit(url, 'Bob', transport)
      // Options of their own: nobody else in this file is matched to them.
      const options = { night: 600, day: 500 + TRANSPORTS.indexOf(transport) }
      const id = await ann.match('mafia', options)
      expect(await bob.match('mafia', options)).toBe(id)
      const a = await enter<typeof mafia>(ann, id)
      await enter<typeof mafia>(bob, id)
      await until(() => a.room.document.room.players.length === 2, 'both')
    })

    test('P2 a session goes on by its id: same player, same rooms, its moves once', async () => {
      using bob = await sit(url, 'Bob', 'websocket')
      const before = await sit(url, 'Ann', transport)
      const id = await bob.create('yard')
      const b = await enter<Yard>(bob, id)
      const left = await enter<Yard>(before, id)
      await left.room.move.say({ text: 'one' })
      before.close()
      using after = await sit(url, 'Ann', transport, { token: before.token ?? '', session: before.id })
      expect(after.player).toEqual(before.player)
      const back = await enter<Yard>(after, id)
      expect(back.room.role).toBe('player')
      await back.room.move.say({ text: 'two' })
      await until(() => b.room.seq === back.room.seq, 'both to be level')
      expect(back.room.document).toEqual(b.room.document)
      expect(back.room.document.game?.said).toEqual(['one', 'two'])
      expect(back.room.document.room.players).toEqual([bob.player?.id, before.player?.id])
    })

    test('presence: who is here stays connected, who is gone is not', { timeout: 180_000 }, async () => {
      using bob = await sit(url, 'Bob', 'websocket')
      using ann = await sit(url, 'Ann', transport)
      const gone = await sit(url, 'Gone', transport)
      const id = await bob.create('mafia')
      const b = await enter<typeof mafia>(bob, id)
      await enter<typeof mafia>(ann, id)
      await enter<typeof mafia>(gone, id)
      const connected = (player = ''): boolean | undefined => b.room.document.room.members[player]?.connected
      const was: (boolean | undefined)[] = []
      b.room.subscribe(() => was.push(connected(ann.player?.id)))
      await until(() => connected(gone.player?.id) === true, 'all to be there')
      gone.close()
      // Over HTTP a request counts as presence for its wait (25 s) and 10 s more; then come 5 s of grace.
      await until(() => connected(gone.player?.id) === false, 'one to be gone', 60_000)
      expect(connected(ann.player?.id)).toBe(true)
      expect(was).not.toContain(false)
    })

    test('a bad token is unauthorized, for good', async () => {
      const { connect } = await import('../../client/client.ts')
      const session = connect({ url, token: 'nonsense', transport })
      await expect(session.ready).rejects.toMatchObject({ code: 'unauthorized' })
      expect(session.state.current).toMatchObject({ status: 'closed', why: 'unauthorized' })
    })
  })
})
