import type { BaseEvent } from "@ag-ui/client";
import { createMemoryStore, createRunEvents, type RunEvent } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createThreads } from "../../src/ag-ui.ts";
import { joinDeltas } from "../../src/ag-ui/log-events.ts";
import { RunReader } from "../../src/ag-ui/run-reader.ts";
import { agentStream, fold, verify } from "./agent-streams.ts";

const IDS = { threadId: "t", runId: "r" };
const STARTED = { type: "RUN_STARTED", ...IDS } as unknown as BaseEvent;
const FINISHED = { type: "RUN_FINISHED", ...IDS } as unknown as BaseEvent;

it("any run, merged and split in any way, is what it was for the client of AG-UI", async () => {
  const bounds = fc.record({
    maxPayloadBytes: fc.constantFrom(300, 800, 262_144),
    maxBatchEvents: fc.constantFrom(3, 1_000),
  });
  const mergeMs = fc.constantFrom(0, 1, 5);
  await fc.assert(
    fc.asyncProperty(agentStream, bounds, mergeMs, async (made, limits, wait) => {
      const runs = createRunEvents({ store: createMemoryStore(), ...limits });
      const threads = createThreads({ runs, mergeMs: wait });
      const input = { ...IDS, messages: [], tools: [], context: [] };
      const given = [...made, FINISHED];
      async function* agent(): AsyncGenerator<BaseEvent, void> {
        yield* given;
      }
      const { events, done } = await threads.record({ ownerId: "ada", input }, agent);
      const followed: BaseEvent[] = [];
      for await (const { event } of events) followed.push(event);
      await done;
      await verify(followed.filter(({ type }) => !type.endsWith("_CHUNK")));
      expect(await fold(followed)).toEqual(await fold([STARTED, ...given]));
      await runs.close();
    }),
    { numRuns: 150 },
  );
});

/** A log of the events themselves, and of its end. */
function logOf(events: readonly BaseEvent[], end: string, payload: unknown): readonly RunEvent[] {
  const drafts = events.map(({ type, ...members }) => ({
    eventType: type as string,
    payload: members as unknown,
  }));
  return [...drafts, { eventType: end, payload }].map((draft, index) => ({
    ...draft,
    sequence: index + 1,
    createdAt: new Date(index).toISOString(),
  }));
}

it("a run that is cut short anywhere is one that the verifier of AG-UI takes", async () => {
  const end = fc.constantFrom("RUN_CANCELLED", "RUN_FAILED");
  await fc.assert(
    fc.asyncProperty(agentStream, fc.nat(), end, async (made, at, eventType) => {
      const part = [STARTED, ...made.slice(0, at % (made.length + 1))];
      const reader = new RunReader();
      const read = logOf(part, eventType, { reason: "lease_expired" }).flatMap((event) =>
        reader.read(event),
      );
      expect(read.slice(0, part.length)).toEqual(part);
      expect(read.at(-1)).toMatchObject(
        eventType === "RUN_FAILED"
          ? { type: "RUN_ERROR", message: "The run was cut short." }
          : { type: "RUN_FINISHED", outcome: { type: "cancelled" } },
      );
      expect(await verify(read)).toHaveLength(read.length);
    }),
  );
});

/** The texts of pieces, or of one. */
function textOf(pieces: unknown): string {
  const list = [pieces].flat() as readonly { readonly delta: string }[];
  return list.map(({ delta }) => delta).join("");
}

it("each piece is read a few times at most, however many are joined at once", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 3 }), (count, texts) => {
      let reads = 0;
      const pieces = Array.from({ length: count }, (_, at) => ({
        get messageId() {
          reads += 1;
          return at % texts;
        },
        delta: "x",
      }));
      joinDeltas(pieces);
      expect(reads).toBeLessThanOrEqual(4 * count);
    }),
  );
});

it("pieces of text give the same in any groups", () => {
  const piece = fc.record({
    messageId: fc.constantFrom("a", "b"),
    delta: fc.string({ maxLength: 3 }),
  });
  const pieces = fc.array(piece, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pieces, pieces, pieces, (first, second, third) => {
      const given = [...first, ...second, ...third];
      const whole = joinDeltas(given);
      expect(
        joinDeltas([joinDeltas([joinDeltas(first), joinDeltas(second)]), joinDeltas(third)]),
      ).toEqual(whole);
      expect(
        joinDeltas([joinDeltas(first), joinDeltas([joinDeltas(second), joinDeltas(third)])]),
      ).toEqual(whole);
      const pairwise = given.reduce<unknown>((earlier, later) => joinDeltas([earlier, later]), []);
      expect(pairwise).toEqual(whole);
      expect(textOf(whole)).toBe(textOf(given));
    }),
  );
});
