import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createFollowerBench, createReader } from "./follower-bench.ts";

describe("a follower", () => {
  it("S20: a subscription that fails refuses the reader with the store's error", async () => {
    const bench = await createFollowerBench();
    const failure = new RunEventsError("store_unavailable", "No connection.");
    const opened = bench.follower.open(createReader(), 0);
    bench.source.readies[0]?.reject(failure);
    await expect(opened).rejects.toBe(failure);
    expect([bench.source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
  });
});
