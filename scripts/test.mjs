// `npm test`: set-up, then every check that CI runs. Arguments go to vitest: `npm test -- protocol`.
import { checkNode } from './node-version.mjs'

if (checkNode()) import('./checks.mjs').then(({ runChecks }) => runChecks(process.argv.slice(2)))
