/** Throws `error` where nobody can catch it, as a browser does with a throw in an event listener: the SDK itself goes on. */
const throwAlone = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

/** Calls each of `listeners`; one that throws does not keep the others from being called. */
const tell = <A extends unknown[]>(listeners: Iterable<(...args: A) => void>, ...args: A): void => {
  for (const listener of [...listeners]) {
    try {
      listener(...args)
    } catch (error) {
      throwAlone(error)
    }
  }
}

/** A value that changes, and can be watched: what `useSyncExternalStore` asks for. */
export interface Readable<T> {
  readonly current: T
  /** Calls `listener` after each change; returns the end of it. */
  subscribe(listener: (value: T) => void): () => void
}

/** A value that its owner sets. */
export class Store<T> implements Readable<T> {
  readonly #listeners = new Set<(value: T) => void>()
  #current: T

  constructor(current: T) {
    this.#current = current
  }

  get current(): T {
    return this.#current
  }

  set(value: T): void {
    if (Object.is(value, this.#current)) return
    this.#current = value
    tell(this.#listeners, value)
  }

  subscribe(listener: (value: T) => void): () => void {
    const own = (value: T): void => listener(value)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }
}

/** Named events, each with the arguments that `E` gives it. */
export class Emitter<E extends Record<keyof E, unknown[]>> {
  readonly #listeners: { [K in keyof E]?: Set<(...args: E[K]) => void> } = {}

  /** Calls `listener` at each event of this name; returns the end of it. */
  on<K extends keyof E>(name: K, listener: (...args: E[K]) => void): () => void {
    const own = (...args: E[K]): void => listener(...args)
    const listeners = this.#listeners[name] ?? new Set()
    this.#listeners[name] = listeners
    listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  /** Whether anyone listens to events of this name. */
  has(name: keyof E): boolean {
    return (this.#listeners[name]?.size ?? 0) > 0
  }

  emit<K extends keyof E>(name: K, ...args: E[K]): void {
    const listeners = this.#listeners[name]
    if (listeners) tell(listeners, ...args)
  }
}
