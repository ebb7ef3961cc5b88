import type { Draft } from "./draft.ts";
import type { WireRun } from "./wire-run.ts";

const PAYLOAD_CHARACTERS = 120_000;
/** Below the 4 MiB of a body. @see clause W9 in `WIRE.md` */
const BATCH_EVENTS = 30;
/**
 * The number of batches, of 3.4 MiB each: `long` is more than any connection over loopback swallows, `short` more than most do
 * whose reader takes nothing.
 */
const BATCHES = { short: 3, long: 7 } as const;

/** Appends more than fits between a server and a reader that takes nothing. @returns what was appended */
export async function flood(run: WireRun, length: keyof typeof BATCHES): Promise<readonly Draft[]> {
  const drafts = Array.from({ length: BATCHES[length] * BATCH_EVENTS }, (_, at) => ({
    eventType: "NOTE",
    payload: `"${String(at).padEnd(PAYLOAD_CHARACTERS, ".")}"`,
  }));
  for (let from = 0; from < drafts.length; from += BATCH_EVENTS) {
    await run.land(drafts.slice(from, from + BATCH_EVENTS));
  }
  return drafts;
}
