import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bus } from './bus.ts'
import type { Message } from './messages.ts'
import { ask, large } from './testing/messages.ts'

export interface BusUnderTest {
  /** A bus of this kind; all that one test opens reach each other. `onError` hears what handlers throw. */
  open(onError: (error: unknown, subject: string) => void): Promise<Bus>
}

const idOf = (message: Message): number => ('id' in message ? message.id : -1)
let used = 0

/** Declares the tests that every bus passes. They take from a bus no more than bus.ts promises, on a quiet network where nothing is lost. */
export const busConformance = (name: string, kind: BusUnderTest): void => {
  describe(`${name} keeps what bus.ts promises`, () => {
    let bus: Bus
    let subject: string
    let errors: unknown[]
    const seen = (list: unknown[], count: number) =>
      vi.waitFor(() => expect(list.length).toBeGreaterThanOrEqual(count), { timeout: 20_000 })
    const collect = (from: string): number[] => {
      const ids: number[] = []
      bus.subscribe(from, (message) => ids.push(idOf(message)))
      return ids
    }

    beforeEach(async () => {
      errors = []
      subject = `conformance${process.pid}.${used++}`
      bus = await kind.open((error) => errors.push(error))
    })
    afterEach(() => bus.close())

    test('messages on one subject arrive in the order in which they were published', async () => {
      const ids = collect(subject)
      const sent = Array.from({ length: 500 }, (_, id) => id)
      for (const id of sent) bus.publish(subject, ask(id))
      await seen(ids, sent.length)
      expect(ids).toEqual(sent)
    })

    test('messages published by a handler keep their order too', async () => {
      const ids: number[] = []
      bus.subscribe(subject, (message) => {
        const id = idOf(message)
        ids.push(id)
        if (id === 0) for (const next of [1, 2, 3]) bus.publish(subject, ask(next))
      })
      bus.publish(subject, ask(0))
      await seen(ids, 4)
      expect(ids).toEqual([0, 1, 2, 3])
    })

    test('a handler gets exactly its subject, not one that it begins or that begins it', async () => {
      const ids = collect(`${subject}.a`)
      bus.publish(`${subject}.a.b`, ask(1))
      bus.publish(`${subject}.ab`, ask(2))
      bus.publish(subject, ask(3))
      bus.publish(`${subject}.a`, ask(4))
      await seen(ids, 1)
      expect(ids).toEqual([4])
    })

    test('every subscriber of a subject gets every message, also one handler subscribed twice', async () => {
      const first = collect(subject)
      const twice: number[] = []
      const handler = (message: Message) => void twice.push(idOf(message))
      bus.subscribe(subject, handler)
      bus.subscribe(subject, handler)
      bus.publish(subject, ask(1))
      bus.publish(subject, ask(2))
      await seen(first, 2)
      await seen(twice, 4)
      expect(first).toEqual([1, 2])
      expect(twice.toSorted()).toEqual([1, 1, 2, 2])
    })

    test('nothing is delivered inside publish', async () => {
      let publishing = true
      const during: boolean[] = []
      bus.subscribe(subject, () => during.push(publishing))
      bus.publish(subject, ask(1))
      publishing = false
      await seen(during, 1)
      expect(during).toEqual([false])
    })

    test('nothing is delivered inside a publish that a handler makes', async () => {
      const order: string[] = []
      bus.subscribe(`${subject}.a`, () => {
        bus.publish(`${subject}.b`, ask(2))
        order.push('a ended')
      })
      bus.subscribe(`${subject}.b`, () => order.push('b began'))
      bus.publish(`${subject}.a`, ask(1))
      await seen(order, 2)
      expect(order).toEqual(['a ended', 'b began'])
    })

    test('after unsubscribing a handler gets nothing more, and the others go on', async () => {
      const gone: number[] = []
      const end = bus.subscribe(subject, (message) => gone.push(idOf(message)))
      const stays = collect(subject)
      bus.publish(subject, ask(1))
      await seen(gone, 1)
      end()
      end()
      bus.publish(subject, ask(2))
      await seen(stays, 2)
      expect(gone).toEqual([1])
      expect(stays).toEqual([1, 2])
    })

    test('unsubscribing while a message is delivered takes effect with the next message at the latest', async () => {
      const once: number[] = []
      const end = bus.subscribe(subject, (message) => {
        once.push(idOf(message))
        end()
      })
      const stays = collect(subject)
      for (const id of [1, 2, 3]) bus.publish(subject, ask(id))
      await seen(stays, 3)
      expect(once).toEqual([1])
      expect(stays).toEqual([1, 2, 3])
    })

    test('a handler that throws is reported, and stops neither other handlers nor later messages', async () => {
      const failure = new Error('thrown by a test')
      bus.subscribe(subject, () => {
        throw failure
      })
      const ids = collect(subject)
      bus.publish(subject, ask(1))
      bus.publish(subject, ask(2))
      await seen(ids, 2)
      expect(ids).toEqual([1, 2])
      expect(errors).toEqual([failure, failure])
    })

    test('a message arrives as it was sent, bytes as bytes', async () => {
      const command = { ...large(7, 0), frames: [Uint8Array.of(0xc0, 0, 255), new Uint8Array(0)] }
      const got: Message[] = []
      bus.subscribe(subject, (message) => got.push(message))
      bus.publish(subject, command)
      await seen(got, 1)
      expect(got).toEqual([command])
    })

    test('publishing where nobody listens is harmless', async () => {
      const ids = collect(subject)
      bus.publish(`${subject}.nobody`, ask(1))
      bus.publish(subject, ask(2))
      await seen(ids, 1)
      expect(ids).toEqual([2])
    })

    test('a closed bus delivers nothing, and neither publish, subscribe nor a second close throws', async () => {
      const ids = collect(subject)
      const witness = await kind.open(() => {})
      await bus.close()
      bus.publish(subject, ask(1))
      bus.subscribe(subject, (message) => ids.push(idOf(message)))()
      await bus.close()
      const later: number[] = []
      witness.subscribe(subject, (message) => later.push(idOf(message)))
      witness.publish(subject, ask(2))
      await seen(later, 1)
      await witness.close()
      expect(ids).toEqual([])
    })
  })
}
