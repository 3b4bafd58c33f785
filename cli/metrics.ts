import { Counter, Gauge, type Registry } from 'prom-client'
import type { NatsLink } from '../bus/nats-connection.ts'
import type { Engine } from '../engine/partition/engine.ts'
import { type GatewayCounters, HTTP_TRANSPORTS, type HttpCounters } from '../gateway/counters.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { MediaCounts, MediaNode } from '../media/node.ts'

/** Counters of the gateway, read when they are asked for. */
const GATEWAY_COUNTERS = {
  accepted: ['madang_gateway_connections_total', 'Sockets that were opened'],
  framesIn: ['madang_gateway_frames_in_total', 'Frames from clients'],
  framesOut: ['madang_gateway_frames_out_total', 'Frames to clients'],
  bytesIn: ['madang_gateway_bytes_in_total', 'Bytes of frames from clients'],
  bytesOut: ['madang_gateway_bytes_out_total', 'Bytes of frames to clients'],
  rateLimited: ['madang_gateway_rate_limited_total', 'Frames refused over the rate'],
  dropsEphemeral: ['madang_gateway_ephemeral_dropped_total', 'CASTs, NOTEs and INPUTs dropped'],
  holes: ['madang_gateway_holes_total', 'Holes in the streams from engines'],
  reattached: ['madang_gateway_reattached_total', 'Members attached again'],
  resent: ['madang_gateway_requests_resent_total', 'Requests sent to engines again'],
  unanswered: ['madang_gateway_requests_unanswered_total', 'Requests that no engine answered in time'],
} as const satisfies Partial<Record<keyof GatewayCounters, readonly [string, string]>>

/** By transport: POST /v1/send, SSE, long polling, polling. */
const HTTP_COUNTERS = {
  requests: ['madang_gateway_http_requests_total', 'Requests that were let in, by transport'],
  bytesIn: ['madang_gateway_http_bytes_in_total', 'Bytes of request bodies, by transport'],
  bytesOut: ['madang_gateway_http_bytes_out_total', 'Bytes of response bodies, by transport'],
} as const satisfies Partial<Record<keyof HttpCounters, readonly [string, string]>>

export const measureGateway = (metrics: Registry, gateway: Gateway): void => {
  const { counters } = gateway
  gauge(metrics, 'madang_gateway_engines', 'Engines that this gateway hears', () => gateway.engines)
  gauge(
    metrics,
    'madang_gateway_connections',
    'Open sockets, and HTTP responses that stand for one',
    () => counters.connections,
  )
  gauge(metrics, 'madang_gateway_rooms', 'Rooms with a member at this gateway', () => counters.rooms)
  for (const [key, [name, help]] of entriesOf(GATEWAY_COUNTERS)) {
    const collect = function (this: Counter): void {
      this.reset()
      this.inc(counters[key])
    }
    new Counter({ name, help, registers: [metrics], collect })
  }
  new Counter({
    name: 'madang_gateway_closes_total',
    help: 'Sockets that ended, by WebSocket close code',
    labelNames: ['code'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const [code, times] of counters.closes) this.inc({ code }, times)
    },
  })
  measureHttp(metrics, counters.http)
}

const measureHttp = (metrics: Registry, http: GatewayCounters['http']): void => {
  new Gauge({
    name: 'madang_gateway_http_open',
    help: 'Responses held open, by transport',
    labelNames: ['transport'],
    registers: [metrics],
    collect() {
      for (const transport of HTTP_TRANSPORTS) this.set({ transport }, http[transport].open)
    },
  })
  for (const [key, [name, help]] of entriesOf(HTTP_COUNTERS))
    new Counter({
      name,
      help,
      labelNames: ['transport'],
      registers: [metrics],
      collect() {
        this.reset()
        for (const transport of HTTP_TRANSPORTS) this.inc({ transport }, http[transport][key])
      },
    })
}

export const measureNats = (metrics: Registry, link: NatsLink): void => {
  gauge(metrics, 'madang_nats_connected', '1 while this process has a NATS server', () => (link.isConnected ? 1 : 0))
  const losses = new Counter({
    name: 'madang_nats_losses_total',
    help: 'How often this process lost its NATS server',
    registers: [metrics],
  })
  link.onChange(({ is }) => {
    if (is === 'disconnected') losses.inc()
  })
}

const ENGINE_GAUGES = {
  live: ['madang_engine_rooms_live', 'Rooms in memory'],
  frozen: ['madang_engine_rooms_frozen', 'Rooms whose log is damaged'],
  partitions: ['madang_engine_partitions', 'Partitions that this engine owns'],
  engines: ['madang_engine_engines', 'Engines that it knows of, itself too'],
} as const satisfies Partial<Record<keyof ReturnType<Engine['status']>, readonly [string, string]>>

export const measureEngine = (metrics: Registry, engine: Engine): void => {
  for (const [key, [name, help]] of entriesOf(ENGINE_GAUGES)) gauge(metrics, name, help, () => engine.status()[key])
}

const MEDIA_GAUGES = {
  rooms: ['madang_media_rooms', 'Rooms with video'],
  peers: ['madang_media_peers', 'Sessions that take part in video'],
  producers: ['madang_media_producers', 'Tracks that are published'],
  consumers: ['madang_media_consumers', 'Tracks as somebody receives them, paused ones too'],
  workers: ['madang_media_workers', 'Worker processes that are up: 0 until video is used'],
  failed: ['madang_media_failed', '1 while no worker process can be started'],
  bitrateIn: ['madang_media_in_bits_per_second', 'From clients, as sampled every 5 s'],
  bitrateOut: ['madang_media_out_bits_per_second', 'To clients, as sampled every 5 s'],
} as const satisfies Record<keyof MediaCounts, readonly [string, string]>

export const measureMedia = (metrics: Registry, node: MediaNode): void => {
  for (const [key, [name, help]] of entriesOf(MEDIA_GAUGES)) gauge(metrics, name, help, () => node.counts()[key])
}

const gauge = (metrics: Registry, name: string, help: string, read: () => number): void => {
  const collect = function (this: Gauge): void {
    this.set(read())
  }
  new Gauge({ name, help, registers: [metrics], collect })
}

const entriesOf = <T extends object>(of: T): [keyof T, T[keyof T]][] => Object.entries(of) as [keyof T, T[keyof T]][]
