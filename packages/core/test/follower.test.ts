import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createFollowerBench, createReader, open } from "./follower-bench.ts";

describe("a follower", () => {
  it("a follower has nothing for a reader that has not opened", async () => {
    const { follower } = await createFollowerBench();
    expect(follower.next(createReader())).toBeNull();
  });

  it("S13: a follower stops its subscription when its last reader has left, even if it leaves twice", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const [a, b] = [await open(bench), await open(bench)];
    follower.leave(a);
    follower.leave(a);
    expect([source.subscriptions(), bench.retired]).toStrictEqual([1, 0]);
    follower.leave(b);
    follower.leave(b);
    expect([source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
  });

  it("S20: a subscription that fails refuses the reader with the store's error", async () => {
    const bench = await createFollowerBench();
    const failure = new RunEventsError("store_unavailable", "No connection.");
    const opened = bench.follower.open(createReader(), 0);
    bench.source.readies[0]?.reject(failure);
    await expect(opened).rejects.toBe(failure);
    expect([bench.source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
  });
});
