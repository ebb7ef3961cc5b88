import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequencesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld } from "./harness/world.ts";

describe.each(DOORS)("%s", (door) => {
  it("W24: a reader that reconnects with the last id it has misses nothing and gets nothing twice", async () => {
    await using world = await openWorld(door);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }),
        async (cuts) => {
          const runId = await world.record(...Array<string>(7).fill("NOTE"));
          const seen: number[] = [];
          let lastId: number | null = null;
          for (const [at, count] of cuts.entries()) {
            const headers = lastId === null ? {} : { "last-event-id": String(lastId) };
            const stream = await world.tail(runId, "?since=0", headers);
            for (let taken = 0; taken < count; taken++) {
              if (taken === 1) await world.ada.append(runId, [{ eventType: "NOTE", payload: at }]);
              if (
                seen.length > 0 &&
                taken > 0 &&
                seen.at(-1) === (await world.ada.get(runId)).lastSequence
              )
                break;
              const frame = await stream.next();
              seen.push(...sequencesOf([frame]));
              lastId = frame.id ?? lastId;
            }
            stream.leave();
          }
          await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
          const last = await world.tail(
            runId,
            "?since=0",
            lastId === null ? {} : { "last-event-id": String(lastId) },
          );
          const frames = await last.rest();
          seen.push(...sequencesOf(frames));
          const total = (await world.ada.get(runId)).lastSequence;
          expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
          const stop = await world.tail(runId, "?since=0", {
            "last-event-id": String(frames.at(-1)?.id),
          });
          expect(stop.status).toBe(204);
        },
      ),
      { numRuns: 25 },
    );
  });
});
