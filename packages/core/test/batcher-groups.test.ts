import { describe, expect, it } from "vitest";
import { createBench, endOfTurns, item, LATE_MS, nextGroup } from "./batcher-bench.ts";

describe("groups in flight", () => {
  it("a batcher has one group in flight until it is late, so that items that arrive meanwhile share the next", async () => {
    const { batcher, groups, answer, clock } = createBench();
    const first = batcher.add(item(0, 1, 0));
    await endOfTurns();
    const second = [batcher.add(item(1, 1, 1)), batcher.add(item(2, 1, 2))];
    clock.advance(LATE_MS - 1);
    await endOfTurns();
    expect(groups).toHaveLength(1);
    answer();
    await first;
    await nextGroup();
    expect(groups[1]).toHaveLength(2);
    answer();
    await Promise.all(second);
  });

  it("a batcher divides many waiting items among the groups that may be in flight", async () => {
    const { batcher, groups, answer } = createBench({
      groupsAtOnce: 2,
      maxItems: 99,
      maxWeight: 99,
    });
    const sizes = (): readonly number[] => groups.map((group) => group.length);
    const add = (from: number, count: number): readonly Promise<string>[] =>
      Array.from({ length: count }, (_, at) => batcher.add(item(from + at, 1, from + at)));
    const few = add(0, 16);
    await endOfTurns();
    expect(sizes()).toStrictEqual([16]);
    const more = add(16, 17);
    await endOfTurns();
    expect(sizes()).toStrictEqual([16, 17]);
    answer();
    answer();
    await Promise.all([...few, ...more]);
    const many = add(100, 50);
    await endOfTurns();
    expect(sizes()).toStrictEqual([16, 17, 25, 25]);
    answer();
    await many[0];
    const next = add(200, 20);
    await nextGroup();
    expect(sizes()).toStrictEqual([16, 17, 25, 25, 20]);
    answer();
    answer();
    await Promise.all([...many, ...next]);
  });

  it("S2: a group whose sender lets the next one pass holds up only the keys of items without an answer", async () => {
    const { batcher, groups, sending } = createBench({ maxItems: 9, maxWeight: 99 });
    const [plain, slow] = [batcher.add(item(0, 1, 7)), batcher.add(item(1, 1, 8))];
    await endOfTurns();
    const [first] = sending();
    first?.settle(0, "plain");
    expect(await plain).toBe("plain");
    const [same, free] = [batcher.add(item(2, 1, 8)), batcher.add(item(3, 1, 7))];
    await endOfTurns();
    expect(groups).toHaveLength(1);
    first?.pass();
    await endOfTurns();
    expect(groups[1]).toStrictEqual([item(3, 1, 7)]);
    let isIdle = false;
    void batcher.idle().then(() => (isIdle = true));
    sending()[1]?.settle(0, "free");
    sending()[1]?.done.resolve();
    expect(await free).toBe("free");
    await endOfTurns();
    expect([groups.length, isIdle]).toStrictEqual([2, false]);
    first?.settle(1, "slow");
    expect(await slow).toBe("slow");
    await nextGroup();
    expect(groups[2]).toStrictEqual([item(2, 1, 8)]);
    sending()[2]?.settle(0, "same");
    sending()[2]?.done.resolve();
    expect(await same).toBe("same");
    await endOfTurns();
    expect(isIdle).toBe(false);
    first?.done.resolve();
    await batcher.idle();
  });

  it("S2: a key is busy until its last item in a group has an answer", async () => {
    const { batcher, groups, sending } = createBench({ groupsAtOnce: 2 });
    for (const name of [0, 1]) void batcher.add(item(name, 1, 7));
    await endOfTurns();
    void batcher.add(item(2, 1, 7));
    sending()[0]?.settle(0, "first");
    sending()[0]?.settle(0, "again");
    await nextGroup();
    expect(groups).toHaveLength(1);
    sending()[0]?.settle(1, "last");
    await nextGroup();
    expect(groups[1]).toStrictEqual([item(2, 1, 7)]);
  });

  it("others pass no more than 16 groups at once that their sender lets pass, so that memory is bounded", async () => {
    const { batcher, groups, sending } = createBench();
    for (let key = 0; key < 20; key++) {
      void batcher.add(item(key, 1, key));
      await endOfTurns();
      sending()[key]?.pass();
    }
    expect(groups).toHaveLength(16);
    sending()[3]?.settle(0, "one");
    sending()[3]?.done.resolve();
    await nextGroup();
    expect(groups[16]).toStrictEqual([16, 17, 18, 19].map((key) => item(key, 1, key)));
  });

  it("others pass no more than 4 groups that are late, so that these leave connections to the rest", async () => {
    const { batcher, groups, sending, clock } = createBench();
    for (let key = 0; key < 8; key++) {
      void batcher.add(item(key, 1, key));
      await endOfTurns();
      clock.advance(LATE_MS);
    }
    expect(groups).toHaveLength(5);
    sending()[3]?.settle(0, "one");
    sending()[3]?.done.resolve();
    await endOfTurns();
    clock.advance(LATE_MS);
    await nextGroup();
    expect(groups[5]).toStrictEqual([5, 6, 7].map((key) => item(key, 1, key)));
  });

  it("an urgent item is sent after this moment, with all that wait, and others wait for the end of the turn", async () => {
    const { batcher, groups } = createBench({ isUrgent: ({ name }) => name === 9 });
    const soon = (): Promise<void> => Promise.resolve();
    void batcher.add(item(0, 1, 0));
    await soon();
    expect(groups).toStrictEqual([]);
    void batcher.add(item(9, 1, 1));
    void batcher.add(item(1, 1, 2));
    expect(groups).toStrictEqual([]);
    await soon();
    await soon();
    expect(groups).toStrictEqual([[item(0, 1, 0), item(9, 1, 1), item(1, 1, 2)]]);
  });
});
