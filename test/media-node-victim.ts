import { Client } from '../media/testing/client.ts'
import { playerOf } from '../media/testing/engine.ts'
import { startNode } from '../media/testing/node.ts'

/** A media node in a process of its own, for a test to kill: prints its workers' process ids once they are up, and goes on. */
const { engine, node } = startNode({ size: 2 })
await new Client(engine, playerOf('ann')).join()
while (node.workers.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
console.log(JSON.stringify(node.workers.map(({ pid }) => pid)))
process.on('SIGTERM', () => void node.close().then(() => process.exit(0)))
