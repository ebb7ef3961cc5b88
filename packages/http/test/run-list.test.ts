import { createMemoryStore } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../../core/src/log/create-run-log.ts";
import { readRunList } from "../src/routes/run-list.ts";
import { ADA } from "./harness/accounts.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const LIST_BYTES = 4_194_304;
/** The most that a run's text takes without its metadata. */
const ENVELOPE = 600;

it("W14, W49: pages of runs hold each run once and in order, up to the limit and 4 MiB, and at least one", async () => {
  const size = fc.oneof(fc.nat(300), fc.integer({ min: 200_000, max: 262_000 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { maxLength: 60 }),
      fc.integer({ min: 1, max: 200 }),
      async (sizes, limit) => {
        const log = createRunLog({ store: createMemoryStore() });
        for (const [at, bytes] of sizes.entries())
          await log.createRun({ runId: `r${at}`, ownerId: "ada", metadata: "x".repeat(bytes) });
        const asked: number[] = [];
        const held: number[] = [];
        const source: Pick<typeof log, "listRuns"> = {
          listRuns(query) {
            asked.push(query.limit);
            return log.listRuns(query);
          },
        };
        const holding = { holdAnswer: (bytes: number) => void held.push(bytes) };
        const seen: RunRecord[] = [];
        for (let before: number | null = null; ;) {
          const query = { ownerId: "ada", topic: null, runStatus: null, before, limit };
          const { runs, next }: Awaited<ReturnType<typeof readRunList>> = await readRunList(
            source,
            query,
            { exchange: { isGone: () => false }, holding, takeTurn: async () => {} },
          );
          const bytes = runs.reduce((sum, run) => sum + run.metadata.length, 0);
          expect(runs.length).toBeLessThanOrEqual(limit);
          if (runs.length > 1) expect(bytes).toBeLessThanOrEqual(LIST_BYTES);
          seen.push(...runs);
          if (next === null) break;
          expect(runs.length).toBeGreaterThan(0);
          before = next;
        }
        expect(seen.map(({ runId }) => runId)).toEqual(sizes.map((_, at) => `r${at}`).toReversed());
        // So one read has no more than a list may hold.
        expect(Math.max(...asked)).toBeLessThanOrEqual(16);
        expect(Math.max(...held)).toBeLessThanOrEqual(2 * LIST_BYTES);
        await log.close();
      },
    ),
    { numRuns: 40 },
  );
});

describe.each(DOORS)("%s", (door) => {
  it("W14, W49: a list of runs with much metadata is cut at 4 MiB, and `nextCursor` continues after it", async () => {
    await using world = await openWorld(door);
    const metadata = "x".repeat(250_000);
    for (let at = 0; at < 40; at++)
      await world.runs.create({ ownerId: "ada", runId: `r${at}`, metadata });
    const seen: string[] = [];
    let cursor: unknown = null;
    do {
      const query: string = typeof cursor === "string" ? `&cursor=${cursor}` : "";
      const answer = await world.send({ path: `/v1/agent-runs?limit=200${query}`, headers: ADA });
      expect(answer.text.length).toBeLessThanOrEqual(LIST_BYTES + 40 * ENVELOPE);
      const { runs, nextCursor } = answer.json() as {
        readonly runs: readonly { readonly runId: string }[];
        readonly nextCursor: unknown;
      };
      expect(runs.length).toBeGreaterThan(0);
      seen.push(...runs.map(({ runId }) => runId));
      cursor = nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => `r${39 - at}`));
  });
});
