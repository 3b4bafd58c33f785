// Run by nats-slow.test.ts: listens on the bus of the NATS server that is named, and says how many messages came.
import { NatsBus } from '../bus/nats.ts'
import { connectNats } from '../bus/nats-connection.ts'
import { realChance, realClock } from '../cli/real.ts'

const SAY_EVERY_MS = 50

const link = await connectNats(
  { servers: [process.argv[2] ?? ''], identity: { by: 'nobody' }, tls: null },
  realClock,
  () => {},
)
const bus = new NatsBus({ link, clock: realClock, chance: realChance })
let got = 0
bus.subscribe('flood', () => got++)
await link.connection.flush()
setInterval(() => console.log(JSON.stringify({ got, rss: process.memoryUsage().rss })), SAY_EVERY_MS)
