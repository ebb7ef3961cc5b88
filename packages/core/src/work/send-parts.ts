import { RunEventsError, type RunEventsErrorCode } from "../rules/errors.ts";
import type { SealedDraft } from "../rules/lifecycle.ts";

const TOO_MUCH: ReadonlySet<RunEventsErrorCode> = new Set(["invalid_request", "payload_too_large"]);

type Send = (events: readonly SealedDraft[]) => Promise<unknown>;

/**
 * Sends batches to a server whose bounds are not known: one that is refused as too much is sent in halves, and later ones in parts no
 * larger than what was taken. So what is before an event that is never taken lands. Not for two batches at a time.
 * @param send appends events. What it rejects with is final
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

/** Whether a batch was refused that may pass in parts. In doubt, a part of it under another key might be there twice. */
function isTooMuch(error: unknown): boolean {
  return error instanceof RunEventsError && TOO_MUCH.has(error.code) && !error.ambiguous;
}
