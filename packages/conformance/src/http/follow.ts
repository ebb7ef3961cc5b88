import { assertEqual } from "../assert.ts";
import type { HttpTrial } from "./http-trial.ts";
import type { Delivery } from "./judge-delivery.ts";
import type { Frame } from "./read-frames.ts";
import { deliveryOf, tail, tailLive } from "./runs.ts";

/**
 * Follows a run to its end as a browser does: disconnects after this many frames, comes back with the last id it had, and learns
 * from a 204 that nothing follows the end.
 */
export async function follow(
  trial: HttpTrial,
  runId: string,
  since: number,
  framesEach: number,
): Promise<Delivery> {
  const seen: Frame[] = [];
  let id: string | null = null;
  const headers = (): { readonly "last-event-id"?: string } =>
    id === null ? {} : { "last-event-id": id };
  while (seen.at(-1)?.message["type"] !== "run_finished") {
    const stream = await tailLive(trial, runId, `since=${since}`, headers());
    const connected = await stream.next();
    // Without this, a server that sends the same event to each reader that comes back would be asked for ever.
    assertEqual(connected.message["since"], Number(id ?? since), "W20: the cursor in force");
    seen.push(connected);
    for (let taken = 0; taken < framesEach; taken++) {
      const frame = await stream.next();
      seen.push(frame);
      id = frame.id ?? id;
      if (frame.message["type"] === "run_finished") {
        seen.push(...(await stream.rest()));
        break;
      }
    }
    stream.leave();
  }
  const { status } = await tail(trial, runId, `since=${since}`, headers());
  assertEqual(status, 204, "W24: the status when a reader comes back after the end");
  return deliveryOf(seen);
}
