// Appends to the folder argv[2] from argv[3] rooms at once until it is killed, records of argv[4] bytes. Prints
// `ROOM N POSITION` once record N of a room is acknowledged and `ROOM N refused REASON` where it was not stored.
// Run by sqlite-crash.test.ts.
import { bytesOf, testChance } from './conformance-values.ts'
import { openSqlite } from './sqlite.ts'

const [dir = '', rooms = '1', size = '0'] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)
const storage = await openSqlite({ dir, chance: testChance })

const play = async (room: string) => {
  let position = (await storage.last(room))?.position ?? 0
  let n = (await storage.read(room, 0, 1_000_000)).length
  for (;;) {
    try {
      position = await storage.append(room, position, bytesOf(`${room} ${n}`.padEnd(Number(size))))
      say(`${room} ${n} ${position}`)
      n += 1
    } catch (error) {
      say(`${room} ${n} refused ${error}`)
    }
  }
}

await Promise.all(Array.from({ length: Number(rooms) }, (_, i) => play(`room-${i}`)))
