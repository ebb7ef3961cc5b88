import { setTimeout } from "node:timers/promises";
import type { RecordedClient, Recorder } from "../history/recorder.ts";
import { plainAppend } from "./plain-append.ts";
import type { Sent } from "./worker-commands.ts";

const PAUSE_MS = 50;
/** How long a store may need to find its server again. */
const PATIENCE_MS = 10_000;

/**
 * Sends an append under its key until the outcome is known, as core does.
 * @throws Error when it does not within 10 s
 * @see clause S7 in `STORE.md`
 */
export async function sendUntilKnown(
  client: RecordedClient,
  recorder: Recorder,
  { runId, ids, idempotencyKey }: Sent,
): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    await client.append([plainAppend(runId, ids, idempotencyKey)]);
    const last = recorder.operations.at(-1);
    const outcome = last?.kind === "append" ? last.result.outcome : "unknown";
    if (outcome !== "unknown" && outcome !== "failed") return;
    if (performance.now() > giveUpAt) {
      throw new Error(
        `Expected an append to be answered within ${PATIENCE_MS} ms, got ${outcome}.`,
      );
    }
    await setTimeout(PAUSE_MS);
  }
}
