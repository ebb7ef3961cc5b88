import { describe, expect, it } from "vitest";
import { answers } from "@tm/run-events-core/wire";
import { ADA } from "./harness/accounts.ts";
import type { Answer } from "./harness/answer.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

function poll(world: World, runId: string, query = "", headers = {}): Promise<Answer> {
  const path = `/v1/agent-runs/${runId}/events${query === "" ? "" : `?${query}`}`;
  return world.send({ path, headers: { ...ADA, ...headers } });
}

describe.each(DOORS)("%s", (door) => {
  it("W15: a page of several slices equals the log, byte for byte, wherever it ends, and on a second read", async () => {
    await using world = await openWorld(door);
    const phase = { eventType: "PHASE_STARTED", payload: { phase: "p" } };
    const sizes = [10, 250_000, 100_000, 130_000, 1, 262_000, 90_000, 90_000, 90_000, 60_000];
    const notes = sizes.map((size) => ({ eventType: "NOTE", payload: "é".repeat(size / 2) }));
    const runId = await world.record(...notes.slice(0, 5), phase, ...notes.slice(5));
    for (const limit of [1, 2, 5, 8, 11, 1_000]) {
      for (const since of [0, 3, 9]) {
        const answer = await poll(world, runId, `since=${since}&limit=${limit}`);
        const page = await world.runs.log.readPage(runId, { ownerId: "ada", since, limit });
        expect(answer.text === answers.encodePage(page), `${since} ${limit}`).toBe(true);
        const etag = answer.headers["etag"] ?? "";
        const headers = { ...ADA, "if-none-match": etag };
        const path = `/v1/agent-runs/${runId}/events?since=${since}&limit=${limit}`;
        expect((await world.send({ path, headers })).status).toBe(304);
      }
    }
    const small = await poll(world, runId, "since=7&limit=1");
    expect(small.json()).toMatchObject({ currentPhase: "p", hasMore: true });
  });

  it("W15: a large page ends early if its run is deleted, or created again, while the page is read", async () => {
    await using world = await openWorld(door);
    const big = { eventType: "BIG", payload: "x".repeat(200_000) };
    const runId = await world.record(big, big, big, "RUN_COMPLETED");
    const path = `/v1/agent-runs/${runId}/events`;
    let reads = 0;
    const { read } = world.store;
    world.store.read = async (queries) => {
      const results = await read(queries);
      reads += 1;
      // The first read shows that the page is large, the second begins it.
      if (reads === 2) {
        await world.ada.delete(runId);
        await world.ada.create({ runId });
      }
      return results;
    };
    const page = (await world.send({ path, headers: ADA })).json();
    expect(page).toMatchObject({ runStatus: "running", lastSequence: 4, hasMore: true });
    expect(page["events"]).toHaveLength(1);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W18: a page has an ETag and `no-store`; the same page again is 304", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("A", "B", "C");
    const first = await poll(world, runId, "since=1&limit=1");
    const etag = first.headers["etag"] ?? "";
    expect(etag).toMatch(/^"[\x21\x23-\x7e]+"$/);
    expect(first.headers["cache-control"]).toBe("private, no-store");
    for (const match of [etag, `W/${etag}`, `"other", ${etag}`, `W/"a",W/${etag} , "b"`, "*"]) {
      const again = await poll(world, runId, "since=1&limit=1", { "if-none-match": match });
      expect([match, again.status, again.text]).toEqual([match, 304, ""]);
      expect(again.headers).toMatchObject({ etag, "cache-control": "private, no-store" });
    }
    for (const match of ['"other"', etag.slice(1, -1), "", `"x${etag.slice(1)}`]) {
      const again = await poll(world, runId, "since=1&limit=1", { "if-none-match": match });
      expect([match, again.status]).toEqual([match, 200]);
    }
  });
});
