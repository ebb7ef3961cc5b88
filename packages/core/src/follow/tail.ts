import type { ReaderStart } from "../rules/history.ts";
import { checkTail } from "../rules/tail-start.ts";
import { ownerIdOf, type OwnerOption } from "../rules/owner.ts";
import { heldOpen } from "../time/held.ts";
import type { FollowerReader } from "./reader-set.ts";
import type { Followers } from "./followers.ts";
import type { Slice } from "./slice.ts";

/** Where a tail starts, and when it ends early. */
export interface TailOptions extends OwnerOption, ReaderStart {
  /** Ends the tail at any time: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Follows a run slice by slice, from `since` to its end: first the events in the log, then new ones, without a gap or a repeat
 * between them. It ends after the terminal event. It waits as long as that takes, and keeps the process alive. To stop it,
 * leave the loop; only `signal` ends a wait from outside.
 *
 * Between two slices the reader is only a cursor: no events queue up for it.
 * @throws RunEventsError `not_found` (also when the run is deleted on the way), `cursor_ahead`, `history_changed` (also when
 * the log loses events that this reader has), `store_unavailable`
 */
export async function* tailSlices(
  followers: Followers,
  runId: string,
  options: TailOptions,
): AsyncGenerator<Slice, void, undefined> {
  const ownerId = ownerIdOf(options);
  const { since, tail, signal } = options;
  signal?.throwIfAborted();
  if (tail !== undefined) checkTail(tail, since);
  let notify = (): void => {};
  const reader: FollowerReader = { position: null, stalled: false, onNotification: () => notify() };
  const { follower, opened } = followers.open({ ownerId, runId }, reader, options);
  try {
    await heldOpen(opened, signal);
    for (;;) {
      // Armed before `next`, so that a notification between `next` and the wait ends the wait at once.
      const notified = new Promise<void>((resolve) => (notify = resolve));
      const next = follower.next(reader);
      if (next === null) {
        await heldOpen(notified, signal);
        continue;
      }
      const slice = next instanceof Promise ? await heldOpen(next, signal) : next;
      if (slice === null) continue;
      reader.position = slice.to;
      yield slice;
      if (slice.finished) return;
      signal?.throwIfAborted();
    }
  } finally {
    follower.leave(reader);
  }
}
