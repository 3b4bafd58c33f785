import type { Bus } from './bus.ts'
import type { Message } from './messages.ts'

export interface LocalBusOptions {
  /** Hears what a handler threw; the other handlers of that message run all the same. */
  onError?: (error: unknown, subject: string) => void
}

interface Subscription {
  handler: (message: Message) => void
  active: boolean
}

/**
 * Returns a bus within this process: every message is delivered once, in order, in a microtask after `publish`.
 * After `close` nothing is delivered, also what was published before it and not yet delivered.
 */
export const localBus = ({ onError }: LocalBusOptions = {}): Bus => {
  const subscriptions = new Map<string, Set<Subscription>>()
  let queue: { subject: string; message: Message }[] = []
  let scheduled = false
  let closed = false

  const hand = (subscription: Subscription, subject: string, message: Message) => {
    if (!subscription.active) return
    try {
      subscription.handler(message)
    } catch (error) {
      onError?.(error, subject)
    }
  }

  const deliver = () => {
    scheduled = false
    const batch = queue
    queue = []
    for (const { subject, message } of batch) {
      const listeners = subscriptions.get(subject)
      // A copy, so that a handler that subscribes while this message is delivered does not get it.
      if (listeners) for (const subscription of [...listeners]) hand(subscription, subject, message)
    }
  }

  return {
    publish(subject, message) {
      if (closed) return
      queue.push({ subject, message })
      if (scheduled) return
      scheduled = true
      queueMicrotask(deliver)
    },

    subscribe(subject, handler) {
      const subscription: Subscription = { handler, active: !closed }
      if (closed) return () => {}
      const listeners = subscriptions.get(subject) ?? new Set()
      subscriptions.set(subject, listeners.add(subscription))
      return () => {
        subscription.active = false
        listeners.delete(subscription)
        if (listeners.size === 0 && subscriptions.get(subject) === listeners) subscriptions.delete(subject)
      }
    },

    async close() {
      closed = true
      for (const listeners of subscriptions.values()) for (const subscription of listeners) subscription.active = false
      subscriptions.clear()
      queue = []
    },
  }
}
