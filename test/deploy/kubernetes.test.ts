import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { expectStarts, imageEnvironment, SECRET } from './flags.ts'
import { DEPLOY, PARSERS, runParser } from './parsers.ts'

const VERSION = '1.37.0'
/** `madang start` ends within it. */
const DRAIN_S = 10

const Probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) })
const Port = z.object({
  name: z.string(),
  containerPort: z.number(),
  hostPort: z.number().optional(),
  protocol: z.string().default('TCP'),
})
const Container = z.object({
  image: z.string(),
  env: z
    .array(z.object({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() }))
    .default([]),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
  ports: z.array(Port),
  livenessProbe: Probe,
  readinessProbe: Probe,
  lifecycle: z.object({ preStop: z.unknown().optional() }).optional(),
  resources: z.object({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }),
})
const Template = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()) }),
  spec: z.object({
    terminationGracePeriodSeconds: z.number(),
    hostNetwork: z.boolean().default(false),
    containers: z.array(Container).length(1),
  }),
})
const Resource = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  data: z.record(z.string(), z.string()).optional(),
  spec: z
    .object({
      template: Template.optional(),
      selector: z.unknown().optional(),
      maxUnavailable: z.unknown().optional(),
      scaleTargetRef: z.object({ name: z.string() }).optional(),
    })
    .optional(),
})

const read = (file: string) => readFileSync(join(DEPLOY, file), 'utf8')

/** What kubectl would apply, each held against its schema. */
const apply = (): z.infer<typeof Resource>[] => {
  const script = join(DEPLOY, '..', 'test', 'deploy', 'kubernetes.py')
  const manifests = runParser('kubectl', ['kustomize', 'kubernetes'])
  return z.array(Resource).parse(JSON.parse(runParser('python3', [script, VERSION], { input: manifests })))
}

describe.skipIf(PARSERS === null)(`Kubernetes ${VERSION}`, () => {
  const resources = PARSERS === null ? [] : apply()
  const named = (kind: string, name: string) =>
    resources.find(
      (each) => each.kind === kind && (each.metadata.name === name || each.metadata.name.startsWith(`${name}-`)),
    )
  const workloads = resources.flatMap(({ metadata, spec }) =>
    spec?.template === undefined ? [] : [{ name: metadata.name, ...spec.template }],
  )
  const containerOf = (name: string) => {
    const container = workloads.find((each) => each.name === name)?.spec.containers[0]
    if (container === undefined) throw new Error(`there is no ${name}`)
    return container
  }
  /** Its environment, with something for what only the cluster knows. */
  const environmentOf = (name: string) => {
    const { env, envFrom } = containerOf(name)
    const maps = envFrom.map(({ configMapRef }) => {
      const data = resources.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name,
      )?.data
      if (data === undefined) throw new Error(`${name} names the ConfigMap ${configMapRef.name}, which is not there`)
      return data
    })
    const known = env.map((each) => [
      each.name,
      each.value ?? (/IP|ANNOUNCE|HOST/.test(each.name) ? '10.1.2.3' : SECRET),
    ])
    return { ...imageEnvironment(read('Dockerfile')), ...Object.assign({}, ...maps), ...Object.fromEntries(known) }
  }

  test('every manifest is as the schemas of Kubernetes say, and in one namespace', () => {
    expect(resources.length).toBeGreaterThan(15)
    for (const { kind, metadata } of resources)
      if (kind !== 'Namespace') expect(metadata.namespace, `${kind} ${metadata.name}`).toBe('madang')
  })

  test.each(['gateway', 'engine', 'media'])('`madang start` takes the environment of the %s', (role) => {
    const config = expectStarts(environmentOf(role))
    expect(config).toMatchObject({ roles: [role], durability: 'jetstream-r3', adminToken: SECRET })
    expect(config.nats).toHaveLength(3)
    const admin = containerOf(role).ports.find(({ name }) => name === 'admin')
    expect(admin?.containerPort).toBe(config.adminPort)
  })

  test('liveness asks whether it lives, readiness whether it serves, both at the admin port', () => {
    for (const role of ['gateway', 'engine', 'media']) {
      const { livenessProbe, readinessProbe } = containerOf(role)
      expect(livenessProbe.httpGet, role).toEqual({ path: '/healthz', port: 'admin' })
      expect(readinessProbe.httpGet, role).toEqual({ path: '/readyz', port: 'admin' })
    }
  })

  test('all have time to drain, and something to live on', () => {
    for (const { name, spec } of workloads) {
      expect(spec.terminationGracePeriodSeconds, name).toBeGreaterThanOrEqual(DRAIN_S + 10)
      expect(spec.containers[0]?.resources, name).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      })
    }
  })

  test('no balancer sends anybody to a gateway that is about to drain', () => {
    expect(containerOf('gateway').lifecycle?.preStop).toEqual({ sleep: { seconds: 5 } })
  })

  test('the ports of media are open on its machine: for each worker one, UDP and TCP', () => {
    expect(workloads.find(({ name }) => name === 'media')?.spec.hostNetwork).toBe(true)
    const { mediaPort, mediaWorkers, mediaIp, mediaAnnounce } = expectStarts(environmentOf('media'))
    expect([mediaIp, mediaAnnounce]).toEqual(['10.1.2.3', '10.1.2.3'])
    for (const protocol of ['UDP', 'TCP'])
      expect(
        containerOf('media')
          .ports.filter((port) => port.name.startsWith('rtp') && port.protocol === protocol)
          .map(({ hostPort }) => hostPort),
      ).toEqual(Array.from({ length: mediaWorkers ?? 0 }, (_, worker) => mediaPort + worker))
  })

  test('at most one gateway, engine and nats-server is taken away at a time', () => {
    for (const name of ['gateway', 'engine', 'nats']) {
      const budget = named('PodDisruptionBudget', name)?.spec
      expect(budget?.maxUnavailable, name).toBe(1)
      const labels = workloads.find((each) => each.name === name)?.metadata.labels
      expect(budget?.selector, name).toEqual({ matchLabels: labels })
    }
    expect(named('HorizontalPodAutoscaler', 'gateway')?.spec?.scaleTargetRef?.name).toBe('gateway')
  })

  test('nats-servers get the files of deploy/nats, and all that those ask for', () => {
    const { data } = named('ConfigMap', 'nats') ?? {}
    const given = containerOf('nats').env.map(({ name }) => name)
    expect(data?.['r3-node.conf']).toBe(read('nats/r3-node.conf'))
    for (const file of ['common.conf', 'users.conf', 'r3-node.conf', 'r3-fsync-node.conf'])
      for (const [, variable = ''] of (data?.[file] ?? '').matchAll(/: \$([A-Z_]+)/g))
        expect(given, file).toContain(variable)
  })
})
