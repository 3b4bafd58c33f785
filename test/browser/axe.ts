import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** What axe finds wrong: the rule and where. The page's context bypasses its CSP. */
export const violations = async (page: Page): Promise<string[]> => {
  await page.addScriptTag({ path: AXE })
  await page.evaluate(() => document.fonts.ready)
  const found = await page.evaluate(
    async (runOnly): Promise<AxeResults> => Reflect.get(window, 'axe').run({ runOnly }),
    STANDARDS,
  )
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`,
  )
}
