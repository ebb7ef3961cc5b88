import { expectApart } from "@tm/run-events-test-servers/expectations";
import { describe, expect, it } from "vitest";
import { openRedisStore } from "./ruled-store.ts";
import { SETUPS } from "./clients.ts";
import { connect, openServer } from "./opened.ts";
import { appendOf, createOf, endOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { useServers } from "./use-servers.ts";

describe.each(SETUPS)("the Redis store on $name", (setup) => {
  const openFresh = useServers(setup);
  it("S2: a group reaches runs of every node, and each request lands or fails alone", async () => {
    const { store } = await openFresh();
    const runIds = oneTo(200).map((number) => `run-${number}`);
    await Promise.all(runIds.map((runId) => store.createRun(createOf(runId))));
    const outcomes = await store.append(
      runIds.flatMap((runId) => [
        appendOf(runId, runId),
        appendOf(runId, null, { expectedSequence: 9 }),
        appendOf(`no-${runId}`),
        endOf(runId),
      ]),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(
      runIds.flatMap(() => ["appended", "sequence_conflict", "not_found", "appended"]),
    );
    for (const runId of runIds) expect(await readValues(store, runId)).toEqual([runId, null]);
    await store.close();
  });
});

describe.each(SETUPS)("one store object on $name", (setup) => {
  const openFresh = useServers(setup);

  it("S19: stores with different prefixes share a server and nothing else", async () => {
    const { prefix, redis, store: ours } = await openFresh();
    const theirs = await openRedisStore(redis, { prefix: `${prefix}:run` });
    await expectApart(ours.inner, theirs.inner);
    await ours.close();
    await theirs.close();
  });
});

it.each(["", "a{b", "a}b", "a b"])("a bad prefix is a TypeError: %j", async (prefix) => {
  const redis = connect(await openServer());
  await expect(openRedisStore(redis, { prefix })).rejects.toThrow(TypeError);
});
