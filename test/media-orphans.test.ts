import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'

const VICTIM = fileURLToPath(new URL('media-node-victim.ts', import.meta.url))
const children: ReturnType<typeof spawn>[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test.for(['SIGKILL', 'SIGTERM'] as const)('no media worker outlives its node: %s', async (signal) => {
  const child = spawn(process.execPath, [VICTIM], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const pids = z
    .array(z.int())
    .length(2)
    .parse(JSON.parse(String(line)))
  expect(pids.map(isAlive)).toEqual([true, true])
  const ended = once(child, 'exit')
  child.kill(signal)
  expect(await ended).toEqual(signal === 'SIGTERM' ? [0, null] : [null, 'SIGKILL'])
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), 20_000)
})
