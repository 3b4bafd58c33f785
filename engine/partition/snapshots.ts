import { messageOf } from '../../protocol/errors.ts'
import type { Seq } from '../../protocol/frames.ts'
import type { SnapshotStore } from '../log/log.ts'
import type { KeyRing } from '../room/keyring.ts'
import type { LiveRoom } from '../room/live.ts'
import { encodeSnapshot } from '../room/snapshot.ts'
import type { Report } from '../room/writer.ts'

/** Events between snapshots. */
const SNAPSHOT_EVERY = 256

interface SnapshotPorts {
  readonly storage: SnapshotStore
  readonly keys: KeyRing
  readonly report: Report
}

/** Keeps snapshots of rooms now and then. They are a cache: one that cannot be kept is reported, and nothing more. */
export class Snapshots {
  readonly #ports: SnapshotPorts
  /** The seq of the last one, kept or tried. */
  readonly #at = new WeakMap<LiveRoom, Seq>()

  constructor(ports: SnapshotPorts) {
    this.#ports = ports
  }

  /** Says of a room that came into memory which snapshot it has. */
  begin(room: LiveRoom, at: Seq): void {
    this.#at.set(room, at)
  }

  /** After a commit. */
  changed(room: LiveRoom): void {
    if (room.state.seq - (this.#at.get(room) ?? 0) >= SNAPSHOT_EVERY) void this.keep(room)
  }

  /** Never rejects. A state may hold personal words in any place: a game that has them is rebuilt from its sealed log. */
  async keep(room: LiveRoom): Promise<void> {
    const { state, end, game } = room
    if (end.seq === this.#at.get(room) || Object.keys(game.runner.personal).length > 0) return
    this.#at.set(room, state.seq)
    const { keys, storage, report } = this.#ports
    try {
      await keys.recall(Object.keys(state.members))
      const at = { position: end.position, checksum: end.checksum, rules: game.hash }
      await storage.putSnapshot(room.room, encodeSnapshot(state, at, game.runner, keys))
    } catch (error) {
      const why = messageOf(error)
      report('error', `no snapshot was kept: ${why}`, { room: room.room, seq: state.seq })
    }
  }
}
