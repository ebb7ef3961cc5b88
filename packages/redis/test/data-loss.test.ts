import { describe, expect, it } from "vitest";
import { runsOf } from "./ruled-store.ts";
import { keysOf } from "../src/keys.ts";
import { openServer, openStore } from "./opened.ts";
import { createOf, listIds, oneTo, readValues } from "@tm/run-events-test-servers/requests";

describe("a Redis that loses data", () => {
  it("S6: a reader of a lost run gets `not_found`, and a new one of its id is another run", async () => {
    const { redis, store } = await openStore(await openServer());
    const runs = runsOf(store);
    await runs.create({ runId: "a" });
    for (const payload of oneTo(3)) await runs.append("a", [{ eventType: "LOG_LINE", payload }]);
    const first = await store.getRun("a");
    const reader = runs.tail("a")[Symbol.asyncIterator]();
    for (const sequence of oneTo(3))
      expect((await reader.next()).value).toMatchObject({ sequence });
    const next = reader.next();
    await redis.flushall();
    await expect(next).rejects.toMatchObject({ code: "not_found" });
    await expect(runs.append("a", [{ eventType: "LOG_LINE" }])).rejects.toMatchObject({
      code: "not_found",
    });
    expect(await listIds(store)).toEqual([]);
    // The counter of ordinals is lost too, but no ordinal is used again.
    await runs.create({ runId: "a" });
    expect((await store.getRun("a"))?.ordinal).toBeGreaterThan(first?.ordinal ?? Infinity);
    await expect(runs.read("a", { since: 3 })).rejects.toMatchObject({
      code: "cursor_ahead",
      details: { lastSequence: 0 },
    });
  });

  it("S6, W46: a reader past the new end of a log gets `history_changed` with the current last sequence", async () => {
    const server = await openServer({ settings: ["--appendonly", "no"] });
    const { redis, store } = await openStore(server);
    expect(store.capabilities.durability).toBe("memory");
    const runs = runsOf(store);
    await runs.create({ runId: "a" });
    await runs.append("a", [{ eventType: "LOG_LINE", payload: 1 }]);
    await redis.save();
    for (const payload of [2, 3]) await runs.append("a", [{ eventType: "LOG_LINE", payload }]);
    const at = (await runs.read("a")).events.at(-1)?.createdAt;
    const reader = runs.tail("a", { since: 3, at })[Symbol.asyncIterator]();
    const next = reader.next();
    await server.kill();
    await server.start();
    await expect(next).rejects.toMatchObject({
      code: "history_changed",
      details: { lastSequence: 1 },
    });
    await expect(runs.read("a", { since: 3 })).rejects.toMatchObject({ code: "cursor_ahead" });
    await runs.append("a", [{ eventType: "LOG_LINE", payload: "another 2" }]);
    expect(await readValues(store, "a")).toEqual([1, "another 2"]);
  });

  it("W14: when the counter is lost, new ordinals still exceed old ones, even if the clock is behind the last", async () => {
    const { redis, store } = await openStore(await openServer());
    const ahead = 8_000_000_000_000_000;
    const keys = keysOf("run-events", "");
    await redis.set(keys.ordinal(keys.bucketOf("ada")), String(ahead));
    for (const number of oneTo(3)) {
      expect(await store.createRun(createOf(`run-${number}`))).toMatchObject({
        run: { ordinal: ahead + number },
      });
    }
    expect(await listIds(store)).toEqual(["run-3", "run-2", "run-1"]);
  });
});
