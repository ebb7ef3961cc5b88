import { describe, expect, it } from "vitest";
import { sendReads } from "../src/log/send-reads.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { ReadQuery, ReadResult, RunEventStore } from "../src/store/store.ts";
import { createRunWrites, RUN } from "./run-writes.ts";

const query = (runId: string): ReadQuery => ({
  ...RUN,
  runId,
  since: 0,
  limit: 1,
  maxBytes: 1,
});

async function read(
  store: Pick<RunEventStore, "read">,
  runIds: readonly string[],
): Promise<readonly (ReadResult | Error | null | undefined)[]> {
  const answers: (ReadResult | Error | null)[] = [];
  const group = runIds.map((runId, at) => ({
    item: query(runId),
    key: runId,
    settle: (answer: ReadResult | Error | null) => void (answers[at] = answer),
  }));
  await sendReads(store, group);
  return answers;
}

describe("sendReads", () => {
  it("S2: a read that fails does not fail the others of its group", async () => {
    const store = createMemoryStore();
    for (const runId of ["a", "b"]) await createRunWrites(store).create({ ...RUN, runId });
    const failure = new RunEventsError("store_unavailable", "bad");
    const calls: number[] = [];
    const troubled: Pick<RunEventStore, "read"> = {
      async read(queries) {
        calls.push(queries.length);
        if (queries.some(({ runId }) => runId === "bad")) throw failure;
        return store.read(queries);
      },
    };
    expect(await read(troubled, ["a", "bad", "b"])).toMatchObject([
      { head: { runId: "a" } },
      failure,
      { head: { runId: "b" } },
    ]);
    expect(calls).toStrictEqual([3, 1, 1, 1]);
  });

  it("S20: the error of a single read or of a broken driver is thrown", async () => {
    const failure = new RunEventsError("store_unavailable", "bad");
    const alone = { read: () => Promise.reject(failure) };
    await expect(read(alone, ["a"])).rejects.toBe(failure);
    const broken = new TypeError("a driver that breaks S20");
    await expect(read({ read: () => Promise.reject(broken) }, ["a", "b"])).rejects.toBe(broken);
  });
});
