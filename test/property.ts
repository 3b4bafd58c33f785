/**
 * Limits of a property that is awaited: one that hangs, or is long in being made smaller, is told with its seed and path, where the
 * test's own limit would end it without them.
 */
export const TOLD_WITH_SEED = { timeout: 30_000, interruptAfterTimeLimit: 150_000, markInterruptAsFailure: true }
/** For a test that asserts one such property: what runs when it is interrupted still ends. */
export const PROPERTY_TEST_MS = 200_000
