import { RunEventsError, type RunEventsErrorCode } from "../rules/errors.ts";
import type { SealedDraft } from "../rules/lifecycle.ts";

const TOO_MUCH: ReadonlySet<RunEventsErrorCode> = new Set(["invalid_request", "payload_too_large"]);

type Send = (events: readonly SealedDraft[]) => Promise<unknown>;

/**
 * Sends batches to a server whose bounds are not known. A batch that is refused as too large is sent in halves. Later batches are
 * sent in parts no larger than those that were taken. So all events before one that the server never takes land. Send one batch
 * at a time.
 * @param send appends events. Its rejections are final
 */
export function sendInParts(send: Send): Send {
  let most = Infinity;

  async function sendAll(events: readonly SealedDraft[]): Promise<void> {
    for (let at = 0; at < events.length;) {
      const part = events.slice(at, at + most);
      try {
        await send(part);
        at += part.length;
      } catch (error) {
        if (part.length === 1 || !isTooMuch(error)) throw error;
        most = Math.floor(part.length / 2);
      }
    }
  }

  return sendAll;
}

/** Whether a refused batch may land in parts. Not if it is in doubt: its events might land twice, under another key. */
function isTooMuch(error: unknown): boolean {
  return error instanceof RunEventsError && TOO_MUCH.has(error.code) && !error.ambiguous;
}
