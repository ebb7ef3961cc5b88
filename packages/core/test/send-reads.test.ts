import { describe, expect, it } from "vitest";
import { sendReads } from "../src/log/send-reads.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import type { ReadQuery, ReadResult } from "../src/rules/page.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";

const query = (runId: string): ReadQuery => ({
  runId,
  ownerId: null,
  since: 0,
  limit: 1,
  maxBytes: 1,
});

async function read(
  store: Pick<RunEventStore, "read">,
  runIds: readonly string[],
): Promise<readonly (ReadResult | Error | null | undefined)[]> {
  const answers: (ReadResult | Error | null)[] = [];
  await sendReads(store, runIds.map(query), (index, answer) => (answers[index] = answer));
  return answers;
}

describe("sendReads", () => {
  it("sendReads settles each query with its answer", async () => {
    const store = createMemoryStore();
    await store.createRun({ runId: "a", ownerId: "ada", metadata: "null" });
    expect(await read(store, ["a", "b"])).toMatchObject([{ run: { runId: "a" } }, null]);
  });

  it("S2: a read that fails does not fail the others of its group", async () => {
    const store = createMemoryStore();
    for (const runId of ["a", "b"])
      await store.createRun({ runId, ownerId: "ada", metadata: "null" });
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
      { run: { runId: "a" } },
      failure,
      { run: { runId: "b" } },
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
