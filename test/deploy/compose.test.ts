import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { expectStarts, imageEnvironment, SECRET } from './flags.ts'
import { DEPLOY, PARSERS, runParser } from './parsers.ts'

const read = (file: string) => readFileSync(join(DEPLOY, file), 'utf8')

const Service = z.object({
  image: z.string(),
  command: z.array(z.string()).nullish(),
  environment: z.record(z.string(), z.string()).default({}),
  networks: z.record(z.string(), z.unknown()),
  ports: z.array(z.object({ target: z.number(), published: z.string(), protocol: z.enum(['tcp', 'udp']) })).default([]),
  volumes: z.array(z.object({ type: z.string(), source: z.string(), target: z.string() })).default([]),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.unknown()).default({}),
  restart: z.string(),
  stop_grace_period: z.string(),
  read_only: z.boolean().default(false),
})
const Project = z.object({ services: z.record(z.string(), Service) })

/** env.example, filled in as it asks. */
const filledIn = Object.fromEntries(
  [...read('env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value || SECRET]),
)

/** What Docker Compose itself makes of the files. */
const projectOf = (files: readonly string[], env: Record<string, string>) =>
  Project.parse(
    JSON.parse(
      runParser('docker-compose', [...files.flatMap((file) => ['-f', file]), 'config', '--format', 'json'], { env }),
    ),
  )

const isMadang = ({ image }: z.infer<typeof Service>) => image === 'madang'
const secondsOf = (time: string) =>
  Number(/^(?:(\d+)m)?(\d+)s$/.exec(time)?.[2]) + 60 * Number(/^(\d+)m/.exec(time)?.[1] ?? 0)

describe.skipIf(PARSERS === null).each([
  { files: ['compose.yaml'], durability: 'jetstream-r1', servers: 1 },
  { files: ['compose.yaml', 'compose.r3.yaml'], durability: 'jetstream-r3', servers: 3 },
])('$files', ({ files, durability, servers }) => {
  const services = PARSERS === null ? [] : Object.entries(projectOf(files, filledIn).services)
  const ours = services.filter(([, service]) => isMadang(service))

  test('two of each role, each of which `madang start` takes its environment from', () => {
    const image = imageEnvironment(read('Dockerfile'))
    const roles = ours.map(([name, { environment }]) => {
      const config = expectStarts({ ...image, ...environment })
      expect(config, name).toMatchObject({ durability, nats: expect.any(Array), adminToken: SECRET })
      expect(config.nats, name).toHaveLength(servers)
      return config.roles
    })
    expect(roles.flat().sort()).toEqual(['engine', 'engine', 'gateway', 'gateway', 'media', 'media'])
  })

  test('Madang has longer to end than it takes, starts again by itself, and writes nothing into its image', () => {
    for (const [name, service] of ours) {
      expect(secondsOf(service.stop_grace_period), name).toBeGreaterThan(10)
      expect(service, name).toMatchObject({ restart: 'unless-stopped', read_only: true })
    }
  })

  test('as many nats-servers as streams have copies, each with a name and a volume of its own', () => {
    const nats = services.filter(([, { image }]) => image.startsWith('nats:')).map(([, service]) => service)
    expect(nats).toHaveLength(servers)
    expect(new Set(nats.map(({ environment }) => environment.NATS_NAME)).size).toBe(servers)
    const volumes = nats.map(({ volumes }) => volumes.filter(({ target }) => target === '/data'))
    expect(volumes.map((each) => each.length)).toEqual(nats.map(() => 1))
    expect(new Set(volumes.flat().map(({ source }) => source)).size).toBe(servers)
    for (const { healthcheck, command, environment, stop_grace_period } of nats) {
      expect(healthcheck?.test.join(' ')).toContain(':8222/healthz')
      expect(read(command?.[1]?.replace('/etc/nats/', 'nats/') ?? '')).toContain(`# ${durability}: `)
      expect(environment.NATS_ROUTES === undefined).toBe(servers === 1)
      expect(secondsOf(stop_grace_period)).toBeGreaterThan(35)
    }
  })

  test('from outside one reaches HAProxy and the ports of media, nothing else', () => {
    const open = services.filter(([, { ports }]) => ports.length > 0).map(([name]) => name)
    expect(open.sort()).toEqual(['haproxy', 'media-1', 'media-2'])
  })

  test('HAProxy sends to all gateways, at the ports at which they serve and say whether they are ready', () => {
    const environment = services.find(([name]) => name === 'haproxy')?.[1].environment ?? {}
    const image = imageEnvironment(read('Dockerfile'))
    const gateways = ours.flatMap(([name, service]) => {
      const config = expectStarts({ ...image, ...service.environment })
      return config.roles.includes('gateway') ? [{ name, config, networks: service.networks }] : []
    })
    for (const [index, { name, config, networks }] of gateways.entries()) {
      expect(environment[`MADANG_GATEWAY_${index + 1}`]).toBe(`${name}:${config.port}`)
      expect(environment[`MADANG_GATEWAY_${index + 1}_ADMIN`]).toBe(String(config.adminPort))
      expect(config.trustProxy).toBe(1)
      expect(networks.inside).toHaveProperty('ipv4_address')
    }
    const asked = [...read('haproxy.cfg').matchAll(/presetenv (\w+)/g)].map(([, name]) => name)
    expect(Object.keys(environment).sort()).toEqual(asked.sort())
  })

  test('clients are told the ports that are open: for each media worker one, UDP and TCP, of no other node', () => {
    const image = imageEnvironment(read('Dockerfile'))
    const published = ours.flatMap(([name, { environment, ports }]) => {
      const { roles, mediaPort, mediaWorkers } = expectStarts({ ...image, ...environment })
      if (!roles.includes('media')) return []
      const wanted = Array.from({ length: mediaWorkers ?? 0 }, (_, worker) => mediaPort + worker)
      for (const protocol of ['udp', 'tcp']) {
        const found = ports.filter((port) => port.protocol === protocol)
        expect(found.map(({ target }) => target).sort(), name).toEqual(wanted)
        expect(found.map(({ published }) => Number(published)).sort(), name).toEqual(wanted)
      }
      return wanted
    })
    expect(published).toHaveLength(4)
    expect(new Set(published).size).toBe(4)
  })

  test('without its secrets nothing starts', () => {
    for (const name of Object.keys(filledIn).filter((each) => /PASSWORD|TOKEN/.test(each))) {
      if (name === 'NATS_ROUTE_PASSWORD' && servers === 1) continue
      expect(() => projectOf(files, { ...filledIn, [name]: '' }), name).toThrow('see env.example')
    }
  })
})
