import { createRunEvents, type EventDraft } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

describe("payloads", () => {
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
});
