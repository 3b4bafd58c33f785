import { createSocket, type Socket } from 'node:dgram'
import type { OpenLink } from '../link.ts'
import { linkWithoutHandshake } from './link.ts'

const IP = '127.0.0.1'

/** Transports over UDP on this machine, without encryption: what a test sends and what reaches it are packets on the wire. */
export class UdpLinks {
  /** Where each producing transport takes RTP, in the order in which they were opened. */
  readonly inlets: number[] = []
  onPacket: (packet: Buffer) => void = () => {}
  readonly #socket: Socket = createSocket('udp4')
  readonly #bound: Promise<void>

  constructor() {
    this.#bound = new Promise((resolve) => this.#socket.bind(0, IP, resolve))
    this.#socket.on('message', (packet) => this.onPacket(packet))
  }

  readonly open: OpenLink = async (router, _server, direction) => {
    await this.#bound
    const transport = await router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: IP },
      rtcpMux: true,
      comedia: direction === 'send',
    })
    if (direction === 'send') this.inlets.push(transport.tuple.localPort)
    else await transport.connect({ ip: IP, port: this.#socket.address().port })
    return linkWithoutHandshake(transport)
  }

  send(inlet: number, packet: Buffer): void {
    this.#socket.send(packet, inlet, IP)
  }

  close(): void {
    this.#socket.close()
  }
}
