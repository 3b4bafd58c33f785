import { expect, test } from 'vitest'
import { z } from 'zod'
import { createLog } from './log.ts'

const logged = (write: (log: ReturnType<typeof createLog>) => void, level = 'info'): Record<string, unknown>[] => {
  const lines: string[] = []
  write(createLog(level, { write: (line) => lines.push(line) }))
  return lines.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)))
}

test('a line carries room, player and seq', () => {
  const [line] = logged((log) => log.info({ room: 'r1', player: 'p1', seq: 7 }, 'frozen'))
  expect(line).toMatchObject({ level: 30, room: 'r1', player: 'p1', seq: 7, msg: 'frozen' })
})

test('never a token, a payload or a name, at the top or one level down', () => {
  const secret = { token: 'S3CRET', payload: { a: 'S3CRET' }, name: 'S3CRET', authorization: 'S3CRET', text: 'S3CRET' }
  const lines = logged((log) => {
    log.info(secret, 'top')
    log.info({ request: secret, player: { id: 'p1', name: 'S3CRET' } }, 'nested')
    log.child(secret).info('child')
  })
  expect(lines).toHaveLength(3)
  expect(JSON.stringify(lines)).not.toContain('S3CRET')
  expect(lines[1]).toMatchObject({ player: { id: 'p1' } })
})

test('lines below the level are not written', () => {
  expect(logged((log) => log.info('quiet'), 'warn')).toEqual([])
})
