import { CannotStart } from './cannot-start.ts'
import type { Compose } from './start.ts'

/** All roles in one process, on the embedded bus and log. */
export const compose: Compose = async () => {
  throw new CannotStart('the roles are not joined together in this checkout yet.')
}
