import { once } from 'node:events'
import { expect, test } from 'vitest'
import { realClock } from './real.ts'

test('what is overdue is done at once, and nobody is warned of it', async () => {
  const warnings: string[] = []
  const hear = ({ name }: Error) => warnings.push(name)
  process.on('warning', hear)
  await new Promise<void>((resolve) => realClock.after(-454, resolve))
  process.emitWarning('later than any other', 'Last')
  await once(process, 'warning')
  process.off('warning', hear)
  expect(warnings).toEqual(['Last'])
})
