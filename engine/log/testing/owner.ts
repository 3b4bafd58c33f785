import { bytesOf, textOf } from '../conformance-values.ts'
import { NotStored, type Storage } from '../log.ts'

/** Who appends to one room, and learns the fate of each append as an engine does. */
export class Owner {
  readonly room: string
  /** How many records were acknowledged, or found in the log. */
  stored = 0
  /** What appends were rejected with, by name. */
  readonly rejections: string[] = []
  readonly #storage: Storage
  #position = 0
  #stopped = false

  constructor(storage: Storage, room: string) {
    this.#storage = storage
    this.room = room
  }

  /** Appends records 0, 1, 2 … until it is stopped; none is given up. */
  async run(): Promise<void> {
    while (!this.#stopped) await this.append()
  }
  stop(): void {
    this.#stopped = true
  }

  async append(): Promise<void> {
    const text = `${this.room} ${this.stored}`
    try {
      this.#position = await this.#storage.append(this.room, this.#position, bytesOf(text))
      this.stored += 1
    } catch (error) {
      this.rejections.push(error instanceof Error ? error.name : String(error))
      if (error instanceof NotStored) return
      const last = await this.#last()
      if (last === null) return
      this.#position = last.position
      if (textOf(last.record) === text) this.stored += 1
    }
  }

  /** The texts that its room must hold. */
  get expected(): string[] {
    return Array.from({ length: this.stored }, (_, n) => `${this.room} ${n}`)
  }

  async #last(): ReturnType<Storage['last']> {
    for (;;) {
      try {
        return await this.#storage.last(this.room)
      } catch {
        // Asked again until there is an answer.
      }
    }
  }
}

/** All texts of a room, oldest first. */
export const textsOf = async (storage: Storage, room: string): Promise<string[]> =>
  (await storage.read(room, 0, 1_000_000)).map(({ record }) => textOf(record))
