import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import { makeCall } from "./arbitrary-calls.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

const NAME = { ownerId: "ada", runId: "run" };
const now = (): number => 1_000;
const create = { what: "create", name: NAME, topic: null } as const;

it("S19 a store of another format is refused by every call, with what to do, and stays as it is; an empty one gets its number", async () => {
  const data = new MvccData();
  const open = () => createKvStore(createMvccEngine(data, { now }));
  await open().probe();
  expect(data.get("format")).toBe("1");
  const older = [{ key: "format", value: "0" }];
  data.commit([], older);
  const { revision } = data;
  const store = open();
  const refused = {
    code: "store_unavailable",
    retryable: false,
    message: expect.stringMatching(
      /got the older format 0, .* Use the program that wrote it, or give/,
    ),
  };
  for (const call of [
    () => makeCall(store, create),
    () => makeCall(store, { ...create, what: "plain" }),
    () => store.read([{ ...NAME, since: 0, limit: 1, maxBytes: 1 }]),
    () => store.list({ due: "queued", forMs: 0, limit: 1 }),
    () => store.probe(),
  ]) {
    await expect(call()).rejects.toMatchObject(refused);
  }
  expect(data.revision).toBe(revision);
});

it("S19 two processes that open an empty store at once both number it, and one that failed tries again", async () => {
  const data = new MvccData();
  let failures = 1;
  const before = async (step: string): Promise<void> => {
    await setImmediate();
    if (step === "commit" && failures-- > 0) throw new Error("the connection was lost");
  };
  const open = () => createKvStore(createMvccEngine(data, { now, before }));
  const [one, other] = [open(), open()];
  const outcomes = await Promise.allSettled([makeCall(one, create), makeCall(other, create)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  expect(await makeCall(one, create)).toMatchObject([{ outcome: "existing" }]);
});
