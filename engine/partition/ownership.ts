/**
 * What an engine does about the partitions that it comes to own or has to give up. Each that it owned ends in one of `release` and
 * `lose`, or in `lose` during its `release`; and is not owned anew before that `release` has resolved.
 */
export interface Owner {
  /** These are this engine's from now on; `epoch` is above that of every earlier owner. */
  own(partitions: ReadonlyMap<number, number>): void
  /** Ends the work on a partition in order; resolves once nothing of it will be written any more but what the fence of the next owner refuses. Rejects never. */
  release(partition: number): Promise<void>
  /** Another engine owns it already: it is forgotten at once. */
  lose(partition: number): void
}

/** Which partitions an engine owns, and whether it can be sure of it. */
export interface Ownership {
  /** Begins to own. Resolves once what is there is known; partitions come when it is sure. */
  start(owner: Owner): Promise<void>
  /**
   * True while no other engine can have taken over a partition of this one. Else the engine answers nothing that shows
   * state: it may have been paused or cut off.
   */
  readonly isSure: boolean
  /** Resolves once `isSure` is true again, and what was lost meanwhile has been taken away through `lose`. Never after `leave` or `abandon`. */
  sure(): Promise<void>
  /** Engines that are there, this one too. */
  readonly engines: number
  /** Hands all partitions over, each after its `release`, to those engines that stay. Rejects never. */
  leave(): Promise<void>
  /** Stops at once, as a crash would. */
  abandon(): void
}
