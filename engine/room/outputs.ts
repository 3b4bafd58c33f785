import type { ConnId, GatewayId, OutputItem, OutputPart } from '../../bus/messages.ts'
import type { RoomId, Seq } from '../../protocol/frames.ts'
import type { Attachment } from './attachments.ts'

export type Output = Omit<OutputItem, 'epoch'>
type Shown = Pick<OutputPart, 'document' | 'emits' | 'ephemeral'>

/** Gathers what goes to the connections of one room, by gateway: those that get the same frames share a part. */
export class Outputs {
  readonly #room: RoomId
  readonly #head: Seq
  readonly #parts = new Map<GatewayId, OutputPart[]>()

  constructor(room: RoomId, head: Seq) {
    this.#room = room
    this.#head = head
  }

  add({ gateway, conn, role }: Pick<Attachment, 'gateway' | 'conn' | 'role'>, shown: Shown): void {
    const parts = this.#parts.get(gateway)
    if (parts === undefined) {
      this.#parts.set(gateway, [part(conn, role, shown)])
      return
    }
    for (const part of parts) if (joins(part, conn, role, shown)) return
    parts.push(part(conn, role, shown))
  }

  /** For this connection and no other, also of a spectator. */
  addAlone({ gateway, conn }: Pick<Attachment, 'gateway' | 'conn'>, shown: Shown): void {
    this.add({ gateway, conn, role: 'player' }, shown)
  }

  items(): [GatewayId, Output][] {
    const items: [GatewayId, Output][] = []
    this.#parts.forEach((parts, gateway) => {
      items.push([gateway, { kind: 'output', room: this.#room, head: this.#head, parts }])
    })
    return items
  }
}

const part = (conn: ConnId, role: Attachment['role'], shown: Shown): OutputPart => ({
  to: role === 'spectator' ? 'spectators' : [conn],
  ...shown,
})

/** Adds the connection to a part with the same frames; false where they differ. */
const joins = (to: OutputPart, conn: ConnId, role: Attachment['role'], shown: Shown): boolean => {
  if ((to.to === 'spectators') !== (role === 'spectator')) return false
  if (to.document?.frame !== shown.document?.frame) return false
  if (!sameFrames(to.emits, shown.emits) || !sameFrames(to.ephemeral, shown.ephemeral)) return false
  if (to.to !== 'spectators') to.to.push(conn)
  return true
}

const sameFrames = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a === b || (a.length === b.length && a.every((frame, i) => frame === b[i]))
