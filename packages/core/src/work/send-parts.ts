import { RunEventsError, type RunEventsErrorCode } from "../rules/errors.ts";
import type { SealedDraft } from "../rules/lifecycle.ts";
import { mergeEvents, type Merges } from "./merge-events.ts";

/** The refusals after which a batch is sent in parts. `invalid_event` may be about a merged payload that is nested too deep. */
const TOO_MUCH: ReadonlySet<RunEventsErrorCode> = new Set([
  "invalid_request",
  "invalid_event",
  "payload_too_large",
]);

/**
 * Sends a batch, neighbouring events merged, to a server whose bounds are not known. What is refused as too large is sent in halves. So all events
 * before one that the server never takes land. A part is merged by itself, so that one of a single event is never too large by the merge.
 *
 * A merge that fails is a mistake of the program, but the events are good: they are sent as they are, and then the batch rejects.
 * @param send appends events. Its rejections are final
 */
export async function sendInParts(
  send: (events: readonly SealedDraft[]) => Promise<unknown>,
  events: readonly SealedDraft[],
  merges: Merges,
): Promise<void> {
  const mistakes: unknown[] = [];
  const mergeIfAble = (part: readonly SealedDraft[]): readonly SealedDraft[] => {
    try {
      return mergeEvents(part, merges);
    } catch (error) {
      mistakes.push(error);
      return part;
    }
  };
  let most = events.length;
  for (let at = 0; at < events.length;) {
    const part = events.slice(at, at + most);
    try {
      await send(mergeIfAble(part));
      at += part.length;
    } catch (error) {
      if (part.length === 1 || !isTooMuch(error)) throw error;
      most = Math.floor(part.length / 2);
    }
  }
  if (mistakes.length > 0) throw mistakes[0];
}

/** Whether a refused batch may land in parts. Not if it is in doubt: its events might land twice, under another key. */
function isTooMuch(error: unknown): boolean {
  return error instanceof RunEventsError && TOO_MUCH.has(error.code) && !error.ambiguous;
}
