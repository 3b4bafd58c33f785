// `npm start`: sets up what is missing, then runs `madang start` with the given flags.
import { checkNode } from './node-version.mjs'

if (checkNode()) {
  import('./launch.mjs').then(({ launch }) => launch(import.meta.url, ['start'].concat(process.argv.slice(2))))
}
