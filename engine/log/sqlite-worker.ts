import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { DataFolderInUse } from './log.ts'
import { openFolder } from './sqlite-folder.ts'
import type { FromWorker, Reply, Request, ToWorker } from './sqlite-messages.ts'
import { SqliteStore } from './sqlite-store.ts'
import { describeTrouble } from './sqlite-trouble.ts'

/** Operations of one transaction: an upper bound on how long the first of them waits for the last. */
const BATCH_OPERATIONS = 512

if (!parentPort) throw new Error('sqlite-worker.ts runs as a worker thread of sqlite.ts')
const port = parentPort
const say = (message: FromWorker) => port.postMessage(message)

/** All that is asked by now goes into one transaction, so that rooms that commit at the same time share an fsync. */
const serve = (store: SqliteStore, first: ToWorker) => {
  const waiting: Request[] = []
  let closing = false
  for (let message: ToWorker | undefined = first; message !== undefined; message = next()) {
    if (message === 'close') closing = true
    else waiting.push(...message)
  }
  for (let at = 0; at < waiting.length; at += BATCH_OPERATIONS) {
    const batch = waiting.slice(at, at + BATCH_OPERATIONS)
    const outcomes = store.run(batch.map((request) => request.operation))
    const replies = batch.flatMap(({ id }, i): Reply[] => {
      const outcome = outcomes[i]
      return outcome ? [{ id, outcome }] : []
    })
    say({ say: 'replies', replies })
    if (store.behind) store.catchUp()
  }
  if (closing) end(store)
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
