import { expect, test } from 'vitest'
import { Refusal } from '../protocol/errors.ts'
import { virtualClock } from '../test/virtual-clock.ts'
import { remembering } from './verified.ts'

const setUp = () => {
  const clock = virtualClock()
  const asked: string[] = []
  const start = clock.now()
  const verify = remembering(
    {
      verify: async (token) => {
        asked.push(token)
        if (token === 'bad') throw new Refusal('unauthorized', 'bad')
        const end = token === 'short' ? { expiresAt: start + 5_000 } : {}
        return { id: token, name: token, guest: false, ...end }
      },
    },
    clock,
  )
  return { clock, asked, verify }
}

test('a token is checked once a minute, one that ends sooner not after its end, a bad one each time', async () => {
  const { clock, asked, verify } = setUp()
  for (const token of ['long', 'short', 'long', 'short']) expect(await verify(token)).toMatchObject({ id: token })
  for (let i = 0; i < 2; i++) await expect(verify('bad')).rejects.toMatchObject({ code: 'unauthorized' })
  expect(asked).toEqual(['long', 'short', 'bad', 'bad'])
  await clock.advance(4_999)
  await verify('short')
  await clock.advance(1)
  await verify('short')
  await clock.advance(54_999)
  await verify('long')
  expect(asked.slice(4)).toEqual(['short'])
  await clock.advance(1)
  await verify('long')
  expect(asked.slice(5)).toEqual(['long'])
})

test('P5 bounded: of many tokens those that are asked for stay, the others are checked again', async () => {
  const { asked, verify } = setUp()
  await verify('mine')
  for (let i = 0; i < 30_000; i++) {
    await verify(`t${i}`)
    if (i % 1_000 === 0) await verify('mine')
  }
  await verify('t29999')
  await verify('t0')
  expect(asked.filter((token) => token === 'mine')).toHaveLength(1)
  expect(asked.filter((token) => token === 't29999')).toHaveLength(1)
  expect(asked.filter((token) => token === 't0')).toHaveLength(2)
})
