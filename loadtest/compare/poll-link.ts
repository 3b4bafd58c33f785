import { headAt } from './heads.ts'
import { FRAMES, HttpLink } from './http-link.ts'
import type { Link, LinkOptions } from './link.ts'
import type { Row } from './transports.ts'

/** JOINs by POST and polls from then on: again at once after an answer that was held, else each `everyMs`, never two at a time. */
export const openPolling = async (options: LinkOptions, { everyMs, waitSeconds }: Row): Promise<Link> => {
  const { seat, on, phase } = options
  const link = new HttpLink(options)
  await link.join()
  let { since } = options
  let next: NodeJS.Timeout | undefined
  /** When the next one is due; the first after the document falls somewhere within an interval. */
  let due = performance.now() + phase * everyMs

  const poll = (): void => {
    if (link.isClosed) return
    const parts: Buffer[] = []
    link.get(
      `/v1/poll?room=${seat.room}&since=${since}&wait=${waitSeconds}`,
      FRAMES,
      (bytes) => parts.push(Buffer.from(bytes)),
      (status) => {
        const head = status === 200 ? headAt(Buffer.concat(parts), 0) : null
        if (head !== null && 'shown' in head) {
          since = head.shown
          on.shown(since)
        } else if (status !== 204) return link.fail(`a poll was answered ${status}`)
        again()
      },
    )
  }
  const again = (): void => {
    const now = performance.now()
    const wait = due - now
    due = Math.max(now, due) + everyMs
    if (wait <= 0) poll()
    else next = setTimeout(poll, wait)
  }
  if (since === 0) poll()
  else again()
  return {
    send: (frame) => link.send(frame),
    close() {
      clearTimeout(next)
      link.close()
    },
  }
}
