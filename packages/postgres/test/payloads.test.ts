import { createRunEvents, type EventDraft } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { openPool, openStore, useServer, runsOf } from "./stores.ts";

const server = useServer();

describe("payloads", () => {
  it("S8: payloads that jsonb refuses or changes come back byte for byte", async () => {
    const store = await openStore(openPool(server().url));
    const runs = runsOf(store);
    const { runId } = await runs.create();
    const values = [
      "nul \u0000 in the middle",
      "half an emoji \ud83d",
      "the other half \ude00",
      { b: 1, a: 2, "": null },
      JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}'),
      [1e21, -0, 0.1, 1.7976931348623157e308],
      "\u2028 \u2029 \ufeff \u{10ffff} '\"\\ $1",
      "x".repeat(262_000),
    ];
    for (const payload of values) await runs.append(runId, [{ eventType: "TOKEN", payload }]);
    const { events } = await runs.read(runId);
    expect(events.map(({ payload }) => payload)).toEqual(
      values.map((value): unknown => JSON.parse(JSON.stringify(value))),
    );
  });

  it("S8: a phase and metadata of any text come back too", async () => {
    const store = await openStore(openPool(server().url));
    const runs = runsOf(store);
    const phase = "\u0000 \ud83d '";
    const { runId } = await runs.create({ metadata: { note: phase } });
    const receipt = await runs.append(runId, [{ eventType: "PHASE_STARTED", payload: { phase } }]);
    expect(receipt.currentPhase).toBe(phase);
    expect(await runs.get(runId)).toMatchObject({ currentPhase: phase, metadata: { note: phase } });
  });

  it.each([
    { name: "one event a run", batch: 1 },
    { name: "several events a run", batch: 7 },
  ])(
    "S5, S8: a group's texts may contain the separators of its statement, $name",
    async ({ batch }) => {
      const store = await openStore(openPool(server().url));
      const runs = createRunEvents({ store: store.inner });
      const ownerIds = ["ada", "a\u001fb", "NULL", '{"},', " "];
      const phase = "\u001f,NULL";
      const drafts = ["\u001f", "\u001f\u001f", '{NULL,"\\"}', "NULL", "", null]
        .map((payload): EventDraft => ({ eventType: "NULL", payload }))
        .toSpliced(1, 0, { eventType: "PHASE_STARTED", payload: { phase } });
      const made = await Promise.all(ownerIds.map((ownerId) => runs.create({ ownerId })));
      for (let from = 0; from < drafts.length; from += batch) {
        // In one turn: one statement.
        const append = () =>
          Promise.all(
            made.map(({ runId, ownerId }) =>
              runs.append(runId, drafts.slice(from, from + batch), {
                ownerId,
                idempotencyKey: `{"\\",${from},NULL}`,
                expectedSequence: from,
              }),
            ),
          );
        const receipt = {
          firstSequence: from + 1,
          lastSequence: from + batch,
          currentPhase: from + batch === 1 ? null : phase,
        };
        expect(await append()).toEqual(
          made.map(() => expect.objectContaining({ ...receipt, replayed: false })),
        );
        expect(await append()).toEqual(
          made.map(() => expect.objectContaining({ ...receipt, replayed: true })),
        );
      }
      for (const { runId, ownerId } of made) {
        const { events, currentPhase } = await runs.read(runId, { ownerId });
        expect(events).toMatchObject(drafts);
        expect(currentPhase).toBe(phase);
      }
    },
  );

  it("S9: a group of the largest payloads lands, and is read in pages", async () => {
    const store = await openStore(openPool(server().url));
    await store.createRun(createOf("a"));
    const big = "x".repeat(262_142);
    const outcomes = await store.append(oneTo(40).map(() => appendOf("a", big)));
    expect(outcomes.at(-1)).toMatchObject({ outcome: "appended", lastSequence: 40 });
    expect(await readValues(store, "a")).toEqual(oneTo(40).map(() => big));
  });
});
