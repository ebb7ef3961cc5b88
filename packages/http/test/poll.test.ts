import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answers } from "@tm/run-events-core/wire";
import { ADA } from "./harness/accounts.ts";
import type { Answer } from "./harness/answer.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

interface Page {
  readonly events: readonly { readonly sequence: number; readonly eventType: string }[];
  readonly runStatus: string;
  readonly currentPhase: string | null;
  readonly lastSequence: number;
  readonly hasMore: boolean;
}

function poll(world: World, runId: string, query = "", headers = {}): Promise<Answer> {
  const path = `/v1/agent-runs/${runId}/events${query === "" ? "" : `?${query}`}`;
  return world.send({ path, headers: { ...ADA, ...headers } });
}

function pageOf(answer: Answer): Page {
  expect(answer.status).toBe(200);
  return answer.json() as unknown as Page;
}

function sequences(page: Page): readonly number[] {
  return page.events.map(({ sequence }) => sequence);
}

describe.each(DOORS)("%s", (door) => {
  it("W15: a page is the events after since, ascending, cut at the limit", async () => {
    await using world = await openWorld(door);
    const runId = await world.record(...Array<string>(20).fill("NOTE"));
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.integer({ min: 1, max: 25 }), async (since, limit) => {
        const page = pageOf(await poll(world, runId, `since=${since}&limit=${limit}`));
        const length = Math.min(limit, 20 - since);
        expect(sequences(page)).toEqual(Array.from({ length }, (_, at) => since + 1 + at));
        expect(page).toMatchObject({ lastSequence: 20, hasMore: since + length < 20 });
      }),
    );
  });

  it("W15: since is 0 and limit is 500 by default, and 1,000 is the most", async () => {
    await using world = await openWorld(door);
    const runId = await world.record(...Array<string>(1_000).fill("NOTE"));
    await world.ada.append(runId, [{ eventType: "NOTE" }]);
    expect(sequences(pageOf(await poll(world, runId))).length).toBe(500);
    const most = pageOf(await poll(world, runId, "limit=1000"));
    expect([sequences(most)[0], sequences(most).length, most.hasMore]).toEqual([1, 1_000, true]);
  });

  it("W15: a page ends at 4 MiB, but holds one event", async () => {
    await using world = await openWorld(door, { maxPayloadBytes: 5_000_000 });
    const runId = await world.record();
    for (const length of [2_000_000, 2_000_000, 2_000_000, 4_500_000, 10, 10]) {
      await world.ada.append(runId, [{ eventType: "BIG", payload: "x".repeat(length) }]);
    }
    const pages: (readonly number[])[] = [];
    for (let since = 0; since < 6; since = pages.at(-1)?.at(-1) ?? 6) {
      const answer = await poll(world, runId, `since=${since}`);
      pages.push(sequences(pageOf(answer)));
    }
    expect(pages).toEqual([[1, 2], [3], [4], [5, 6]]);
  });

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
  it.for(["x", "", "-1", "+1", "1.0", "1e3", "01", " 1", "1 ", "0x1", "NaN", "null", "1,2"])(
    "W15: since=%s is not a cursor",
    async (since) => {
      await using world = await openWorld(door);
      const runId = await world.record("NOTE");
      const answer = await poll(world, runId, `since=${encodeURIComponent(since)}`);
      expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_cursor"]);
    },
  );

  it("W15: since given twice is not a cursor, even if both are the same", async () => {
    await using world = await openWorld(door);
    const answer = await poll(world, await world.record("NOTE"), "since=0&since=0");
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_cursor"]);
  });

  it.for([
    "limit=0",
    "limit=1001",
    "limit=x",
    "limit=",
    "limit=2&limit=2",
    "wait=-1",
    "wait=31",
    "wait=30.5",
    "wait=1e1",
    "wait=",
    "wait=1&wait=1",
  ])("W15: a poll with %s is 400", async (query) => {
    await using world = await openWorld(door);
    const answer = await poll(world, await world.record("NOTE"), query);
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
  });

  it("W15: a cursor past the last sequence is cursor_ahead; on a finished run the next one is the end", async () => {
    await using world = await openWorld(door);
    const [live, ended] = [await world.record("NOTE"), await world.record("NOTE", "RUN_FAILED")];
    for (const [runId, since, last] of [
      [live, 2, 1],
      [live, "9".repeat(15), 1],
      [live, "9".repeat(40), 1],
      [ended, 4, 2],
      [ended, "9".repeat(16), 2],
    ] as const) {
      const answer = await poll(world, runId, `since=${since}`);
      expect([answer.status, answer.json()]).toMatchObject([
        409,
        { code: "cursor_ahead", lastSequence: last },
      ]);
    }
    for (const since of [2, 3]) {
      const page = pageOf(await poll(world, ended, `since=${since}`));
      expect(page).toMatchObject({
        events: [],
        runStatus: "failed",
        lastSequence: 2,
        hasMore: false,
      });
    }
  });

  it("W15: an empty run has an empty page", async () => {
    await using world = await openWorld(door);
    expect(pageOf(await poll(world, await world.record()))).toEqual({
      events: [],
      runStatus: "queued",
      currentPhase: null,
      lastSequence: 0,
      hasMore: false,
    });
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W16: a page that does not reach the end of a run that has ended has the status running, and the last phase", async () => {
    await using world = await openWorld(door);
    const phase = (name: string): object => ({
      eventType: "PHASE_STARTED",
      payload: { phase: name },
    });
    const runId = await world.record(
      "A",
      phase("one") as never,
      "B",
      phase("two") as never,
      "RUN_FAILED",
    );
    const states: unknown[] = [];
    for (let since = 0; since < 5; since++) {
      const { runStatus, currentPhase, hasMore } = pageOf(
        await poll(world, runId, `since=${since}&limit=1`),
      );
      states.push([runStatus, currentPhase, hasMore]);
    }
    expect(states).toEqual([
      ["running", "two", true],
      ["running", "two", true],
      ["running", "two", true],
      ["running", "two", true],
      ["failed", "two", false],
    ]);
  });

  it("W16: a loop that stops at a terminal status has every event, at any limit and in any race", async () => {
    await using world = await openWorld(door);
    const limit = fc.integer({ min: 1, max: 9 });
    const batches = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 8 });
    const paces = fc.array(fc.nat(3), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(limit, batches, paces, async (most, sizes, pace) => {
        const runId = await world.record();
        async function write(): Promise<void> {
          for (const [at, size] of sizes.entries()) {
            // A read of the store takes its turn between appends: how many decides who is ahead.
            for (let turns = pace[at % pace.length] ?? 0; turns > 0; turns--)
              await world.ada.get(runId);
            await world.ada.append(runId, Array(size).fill({ eventType: "NOTE" }));
          }
          await world.ada.append(runId, [{ eventType: "NOTE" }, { eventType: "RUN_COMPLETED" }]);
        }
        const writing = write();
        const seen: number[] = [];
        let status = "queued";
        while (status === "queued" || status === "running") {
          const page = pageOf(await poll(world, runId, `since=${seen.at(-1) ?? 0}&limit=${most}`));
          seen.push(...sequences(page));
          status = page.runStatus;
        }
        await writing;
        const total = sizes.reduce((sum, size) => sum + size, 2);
        expect(seen).toEqual(Array.from({ length: total }, (_, at) => at + 1));
        expect(status).toBe("completed");
      }),
      { numRuns: 40 },
    );
  });

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

describe.each(DOORS)("%s", (door) => {
  it("W18: every change of a page changes its ETag", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("A", "B", "C");
    const tags: (string | undefined)[] = [];
    const note = async (query = ""): Promise<void> =>
      void tags.push((await poll(world, runId, query)).headers["etag"]);
    for (const query of ["", "since=1", "since=2", "since=3", "limit=1", "limit=2"])
      await note(query);
    await world.ada.append(runId, [{ eventType: "D" }]);
    for (const query of ["", "limit=1"]) await note(query);
    await world.ada.append(runId, [{ eventType: "RUN_FAILED" }]);
    for (const query of ["", "limit=1", "since=4", "since=5"]) await note(query);
    await world.ada.delete(runId);
    await world.runs.create({ ownerId: "ada", runId });
    await note();
    await world.ada.append(runId, Array(5).fill({ eventType: "A" }));
    await note();
    expect(new Set(tags).size).toBe(tags.length);
    expect(tags).not.toContain(undefined);
  });

  it("W18: a poll with wait is never 304", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const { headers } = await poll(world, runId, "since=1");
    const match = { "if-none-match": headers["etag"] ?? "" };
    expect((await poll(world, runId, "since=1", match)).status).toBe(304);
    expect((await poll(world, runId, "since=1&wait=0", match)).status).toBe(304);
    expect((await poll(world, runId, "since=1&wait=0.01", match)).status).toBe(200);
    expect((await poll(world, runId, "wait=5", { "if-none-match": "*" })).status).toBe(200);
  });
});
