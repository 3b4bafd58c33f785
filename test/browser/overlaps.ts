import type { Page } from 'playwright-core'

/** Pairs of things that lie over one another: faces, names, buttons, what stands in the middle, and at a phone's lower edge. */
export const overlaps = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const things = [
      ...document.querySelectorAll<HTMLElement>(
        '.people li, .middle :is(h2, h3, p, ol, ul, input, button, .ttt-grid), .talk-button > *, .controls button',
      ),
    ]
      .filter((element) => element.checkVisibility() && !element.classList.contains('heard-only'))
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 1)
    const touches = (a: DOMRect, b: DOMRect): boolean =>
      a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
    const nameOf = (element: HTMLElement): string => element.textContent || element.className
    return things.flatMap(({ element, box }, index) =>
      things
        .slice(index + 1)
        .filter((other) => !element.contains(other.element) && touches(box, other.box))
        .map((other) => `${nameOf(element)} / ${nameOf(other.element)}`),
    )
  })
