import { createClient } from "@tm/run-events-client/runs";
import { createRunStore } from "@tm/run-events-client/store";
import { expect, it } from "vitest";
import { failureOf } from "../failure-of.ts";
import { json, startScriptedServer } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";
import { expectRange, expectSnapshot, leaveNothing, watchStore } from "./watch-store.ts";

leaveNothing();

const server = useServer();
const credential = { cookie: "session=ada" } as const;
const userId = "ada";

it("W38, W39: a store shows that its run waits, and gives the input that it waits for", async () => {
  const { baseUrl } = server;
  const runs = createClient({ baseUrl, credential: { bearer: "ada" } });
  const { runId } = await runs.create();
  await runs.append(runId, [{ eventType: "INPUT_REQUESTED", payload: "?" }]);
  const watched = watchStore(createRunStore(runId, { baseUrl, credential, userId }));
  await expectRange(watched, 1, 1);
  await expectSnapshot(watched, { runStatus: "waiting" });
  const { input } = watched.store.getSnapshot();
  const key = { idempotencyKey: "answer" };
  const receipt = await input({ yes: true }, key);
  expect(receipt).toMatchObject({ lastSequence: 2, runStatus: "running", replayed: false });
  expect(await input({ yes: true }, key)).toEqual({ ...receipt, replayed: true });
  await expectRange(watched, 1, 2);
  await expectSnapshot(watched, { runStatus: "running" });
  await runs.cancel(runId);
  expect(await failureOf(input(1))).toMatchObject({ code: "run_finished" });
});

it("W39: an input whose answer is lost is sent again under its key", async () => {
  const keys: unknown[] = [];
  const receipt = { firstSequence: 2, lastSequence: 2, runStatus: "running", currentPhase: null };
  const { baseUrl } = await startScriptedServer((response, _, { headers }) => {
    keys.push(headers["idempotency-key"]);
    if (keys.length === 1) response.destroy();
    else json(response, 201, { ...receipt, replayed: false });
  });
  const { input } = createRunStore("lost", { baseUrl, credential, userId }).getSnapshot();
  expect(await input("yes")).toMatchObject(receipt);
  expect(keys).toEqual([keys[0], keys[0]]);
});

it("W39: a store without a run takes no input", async () => {
  const { input } = createRunStore(null, { credential, userId }).getSnapshot();
  expect(await failureOf(input(1))).toMatchObject({ code: "not_found" });
});
