// Prepares mediasoup's worker for video, where there is none yet; `npm start` runs it in the background. The game goes first.
import { setPriority } from 'node:os'
import { checkNode } from './node-version.mjs'

const LOWEST_PRIORITY = 19

const prepare = async () => {
  const { prepareMediaWorker } = await import('./media-worker/prepare.mjs')
  const { orSayWhy } = await import('./problem.mjs')
  const { ROOT } = await import('./setup.mjs')
  setPriority(LOWEST_PRIORITY)
  const path = await orSayWhy(() => prepareMediaWorker(ROOT, process.env, (line) => console.error(line)))
  if (path !== null) console.log(path)
}

if (checkNode()) prepare()
