import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { DataFolderInUse } from './log.ts'
import { openFolder } from './sqlite-folder.ts'
import type { FromWorker, Operation, Outcome, ToWorker } from './sqlite-messages.ts'
import { Page } from './sqlite-page.ts'
import { SqliteStore } from './sqlite-store.ts'
import { describeTrouble } from './sqlite-trouble.ts'

/** Operations of one transaction: an upper bound on how long the first of them waits for the last. */
const BATCH_OPERATIONS = 512

if (!parentPort) throw new Error('sqlite-worker.ts runs as a worker thread of sqlite.ts')
const port = parentPort
const say = (message: FromWorker, handedOver: ArrayBuffer[] = []) => port.postMessage(message, handedOver)

/** All that is asked by now goes into one transaction, so that rooms that commit at the same time share an fsync. */
const serve = (store: SqliteStore, first: ToWorker) => {
  const waiting: Operation[] = []
  let closing = false
  for (let message: ToWorker | undefined = first; message !== undefined; message = next()) {
    if (message === 'close') closing = true
    else waiting.push(...message)
  }
  for (let at = 0; at < waiting.length; at += BATCH_OPERATIONS) {
    const outcomes = store.run(waiting.slice(at, at + BATCH_OPERATIONS))
    say({ say: 'outcomes', outcomes }, outcomes.flatMap(buffersOf))
    if (store.behind) store.catchUp()
  }
  if (closing) end(store)
}

const buffersOf = (outcome: Outcome): ArrayBuffer[] => {
  if (!outcome.ok || !(outcome.value instanceof Page)) return []
  const { positions, ends, bytes } = outcome.value
  return [positions.buffer, ends.buffer, bytes.buffer]
}

const next = (): ToWorker | undefined => receiveMessageOnPort(port)?.message

const end = (store: SqliteStore) => {
  let trouble: string | null = null
  try {
    store.close()
  } catch (error) {
    trouble = describeTrouble(error)
  }
  say({ say: 'closed', message: trouble })
  port.close()
}

const start = () => {
  try {
    const store = new SqliteStore(openFolder(workerData.dir))
    port.on('message', (message: ToWorker) => serve(store, message))
    say({ say: 'ready' })
  } catch (error) {
    say({ say: 'refused', message: describeTrouble(error), inUse: error instanceof DataFolderInUse })
  }
}

start()
