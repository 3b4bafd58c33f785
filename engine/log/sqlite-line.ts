import { Worker } from 'node:worker_threads'
import { DataFolderInUse, FateUnknown, Fenced, NotStored, StorageError } from './log.ts'
import { type Failure, type FromWorker, isRead, type Operation } from './sqlite-messages.ts'

/** Below, copying is cheaper than handing a buffer over. */
const TRANSFER_BYTES = 16_384
const DIED = "the log's thread has died, restart Madang"

interface Pending {
  operation: Operation
  resolve(value: unknown): void
  reject(error: Error): void
}

const errorOf = (failure: Failure): Error => {
  if (failure.kind === 'fenced') return new Fenced(failure.room)
  return failure.kind === 'not_stored' ? new NotStored(failure.message) : new StorageError(failure.message)
}

/** The buffers of these records go across without a second copy: they are ours already. */
const buffersOf = (operations: Operation[]): ArrayBuffer[] =>
  operations.flatMap((operation) => {
    const bytes =
      operation.do === 'append' ? operation.record : operation.do === 'putSnapshot' ? operation.snapshot : null
    return bytes?.buffer instanceof ArrayBuffer && bytes.byteLength >= TRANSFER_BYTES ? [bytes.buffer] : []
  })

/**
 * The asker's side of the worker thread: requests go out in the order of the calls, and answers come back in it. One message is
 * on its way at a time, and what is asked meanwhile goes with the next: it would wait for the thread in any case, and a
 * message costs as much as a move.
 */
export class SqliteLine {
  readonly #worker: Worker
  readonly #onTrouble: (error: Error) => void
  readonly #soon: (task: () => void) => void
  #outbox: Pending[] = []
  #sent: Pending[] = []
  #closed: Promise<void> | null = null
  #settleClose: ((error: Error | null) => void) | null = null
  /** Why nothing more is taken; null while the line is open. */
  #ended: string | null = null

  constructor(worker: Worker, onTrouble: (error: Error) => void, soon: (task: () => void) => void = queueMicrotask) {
    this.#worker = worker
    this.#onTrouble = onTrouble
    this.#soon = soon
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))))
    worker.on('exit', (code) => this.#die(new Error(`it ended with code ${code}`)))
  }

  ask<T>(operation: Operation): Promise<T> {
    if (this.#ended !== null) return Promise.reject(this.#notTaken(operation, this.#ended))
    return new Promise<T>((resolve, reject) => {
      if (this.#outbox.length === 0) this.#soon(() => this.#flush())
      this.#outbox.push({ operation, resolve, reject })
    })
  }

  close(): Promise<void> {
    if (this.#closed) return this.#closed
    if (this.#ended !== null) return Promise.resolve()
    this.#ended = 'the log is closed'
    this.#closed = new Promise((resolve, reject) => {
      this.#settleClose = (error) => (error ? reject(error) : resolve())
    })
    this.#send()
    this.#worker.postMessage('close')
    return this.#closed
  }

  #flush(): void {
    if (this.#sent.length === 0) this.#send()
  }

  #send(): void {
    if (this.#outbox.length === 0) return
    const operations = this.#outbox.map(({ operation }) => operation)
    this.#sent = [...this.#sent, ...this.#outbox]
    this.#outbox = []
    this.#worker.postMessage(operations, buffersOf(operations))
  }

  #receive(message: FromWorker): void {
    if (message.say === 'closed') {
      this.#settleClose?.(message.message === null ? null : new StorageError(`closing the log: ${message.message}`))
      this.#settleClose = null
    }
    if (message.say !== 'outcomes') return
    const answered = this.#sent.splice(0, message.outcomes.length)
    this.#flush()
    for (const [i, outcome] of message.outcomes.entries()) {
      if (outcome.ok) answered[i]?.resolve(outcome.value)
      else answered[i]?.reject(errorOf(outcome.failure))
    }
  }

  /** The thread is gone. That is expected after it said `closed`, and trouble at any other time. */
  #die(error: Error): void {
    const expected = this.#closed !== null && this.#settleClose === null
    if (expected || this.#ended === DIED) return
    this.#ended = DIED
    const trouble = new StorageError(`${DIED}: ${error.message}`, { cause: error })
    for (const { operation, reject } of [...this.#sent, ...this.#outbox]) {
      reject(isRead(operation) ? trouble : new FateUnknown(trouble.message, { cause: error }))
    }
    this.#sent = []
    this.#outbox = []
    this.#settleClose?.(trouble)
    this.#settleClose = null
    this.#onTrouble(trouble)
  }

  #notTaken(operation: Operation, reason: string): Error {
    return isRead(operation) ? new StorageError(reason) : new NotStored(reason)
  }
}

/**
 * Resolves once the worker holds the folder; rejects with DataFolderInUse or StorageError. `onTrouble` is told once if
 * the thread dies later.
 */
export const openLine = (
  dir: string,
  onTrouble: (error: Error) => void,
  soon?: (task: () => void) => void,
): Promise<SqliteLine> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: { dir }, execArgv: [] })
    const failed = (error: unknown) => reject(new StorageError(`the log's thread did not start: ${error}`))
    worker.once('error', failed).once('exit', failed)
    worker.once('message', (message: FromWorker) => {
      worker.off('error', failed).off('exit', failed)
      if (message.say !== 'refused') resolve(new SqliteLine(worker, onTrouble, soon))
      else reject(message.inUse ? new DataFolderInUse(dir) : new StorageError(message.message))
    })
  })
