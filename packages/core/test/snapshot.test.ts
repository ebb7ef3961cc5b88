import fc from "fast-check";
import { expect, it } from "vitest";
import { JsonText } from "../src/rules/json-text.ts";
import type { RunSnapshot } from "../src/rules/event.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { encodeRun } from "../src/wire/answers.ts";
import { jsonSample } from "./json-sample.ts";

/** Fields of a snapshot that only programs have: none so far. */
const NOT_ON_THE_WIRE: readonly (keyof RunSnapshot)[] = [];

const ownerText = fc.string({ unit: "binary", minLength: 1 }).filter(isOwnerId);
const end = fc.constantFrom(null, "RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELLED");

function isOwnerId(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

it("W8: a snapshot and the run on the wire have the same fields with the same values", async () => {
  await fc.assert(
    fc.asyncProperty(
      ownerText,
      jsonSample,
      fc.array(fc.string({ unit: "binary" }), { maxLength: 3 }),
      end,
      async (ownerId, { raw }, phases, lastType) => {
        let now = Date.UTC(2026, 5, 20);
        const store = createMemoryStore({ now: () => (now += 1_000) });
        const runs = createRunEvents({ store });
        await runs.create({ ownerId, runId: "r", metadata: JsonText.parse(raw) });
        const events = [
          ...phases.map((phase) => ({ eventType: "PHASE_STARTED", payload: { phase } })),
          ...(lastType === null ? [] : [{ eventType: lastType }]),
        ];
        // One by one, so that each time of the run is another.
        for (const event of events) await runs.append("r", [event], { ownerId });
        const record = await runs.log.getRun("r", { ownerId });
        const snapshot: Record<string, unknown> = { ...(await runs.get("r", { ownerId })) };
        for (const name of NOT_ON_THE_WIRE) delete snapshot[name];
        expect(JSON.parse(encodeRun(record))).toStrictEqual(snapshot);
        await runs.close();
      },
    ),
  );
});
