import { expect, test } from 'vitest'
import { withSection } from './page.ts'

const PAGE = 'Before.\n\n<!-- a:one -->\nold\n<!-- /a:one -->\n\nBetween.\n\n<!-- a:two -->\n<!-- /a:two -->\nAfter.\n'

test('a section takes the place of its earlier one, and nothing else of the page changes', () => {
  const once = withSection(PAGE, 'a:one', 'new\n\ntext')
  expect(once).toBe(PAGE.replace('old', 'new\n\ntext'))
  expect(withSection(once, 'a:one', 'old')).toBe(PAGE)
  expect(withSection(PAGE, 'a:two', 'x')).toBe(PAGE.replace('<!-- a:two -->\n', '<!-- a:two -->\nx\n'))
})

test('a page without a place for a section is refused, with what to put into it', () => {
  expect(() => withSection(PAGE, 'a:three', 'x')).toThrow('put <!-- a:three --> and <!-- /a:three --> into it')
})
