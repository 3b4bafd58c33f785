/**
 * The reference of all benchmarks: uWebSockets.js and nothing else, under the socket options that the gateway uses.
 * `/echo` sends back what it gets. `/relay?room=N` takes a MOVE of the bench and publishes a frame like its PATCH to the room's
 * 8 sockets and a frame like its OK to the sender, with `ref`, `from` and `seq` in their places. `&patch=N` is the size of the
 * PATCH in bytes.
 */
import uws from 'uWebSockets.js'
import { okFrame, patchFrame, REF_AT } from './relayed.ts'

interface Room {
  topic: string
  seq: number
  patch: (seq: number) => Uint8Array
}

const rooms = new Map<string, Room>()
const ok = okFrame()

const enter = (topic: string, patchBytes: number): Room => {
  const room = rooms.get(topic) ?? { topic, seq: 0, patch: patchFrame(patchBytes) }
  rooms.set(topic, room)
  return room
}

const app = uws.App().ws<{ room: Room | null }>('/*', {
  maxPayloadLength: 131_072,
  maxBackpressure: 1_048_576,
  compression: uws.DISABLED,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  upgrade(res, req, context) {
    const topic = req.getQuery('room')
    const room = topic === undefined ? null : enter(topic, Number(req.getQuery('patch')))
    res.upgrade({ room }, req.getHeader('sec-websocket-key'), '', '', context)
  },
  open(ws) {
    const { room } = ws.getUserData()
    if (room !== null) ws.subscribe(room.topic)
  },
  message(ws, message) {
    const { room } = ws.getUserData()
    if (room === null) {
      ws.send(message, true)
      return
    }
    const ref = new DataView(message).getUint32(REF_AT)
    room.seq += 1
    app.publish(room.topic, room.patch(room.seq), true)
    ws.send(ok(ref, room.seq), true)
  },
})

app.listen('127.0.0.1', 0, (socket) => {
  if (!socket) throw new Error('no free port')
  console.log(`uWebSockets.js is ready: http://127.0.0.1:${uws.us_socket_local_port(socket)}`)
})
process.once('SIGTERM', () => app.close())
