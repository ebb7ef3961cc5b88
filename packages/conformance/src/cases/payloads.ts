import fc from "fast-check";
import { MAX_PAYLOAD_BYTES, type RunEventStore } from "@tm/run-events-core";
import { event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { jsonText } from "../json-text-arbitrary.ts";
import { createRun, OWNER, readLog, readRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const NAMED: Readonly<Record<string, string>> = {
  "a payload with keys out of order": '{"b":1,"a":{"d":2,"c":3}}',
  "a payload with integers for keys": '{"10":1,"2":2}',
  "a payload with a key that comes twice": '{"a":null,"a":1,"\\u0061":2}',
  "a payload with numbers in many spellings": "[1.0,1e2,-0,1E+2,100000000000000000000]",
  "a payload with __proto__ as a key": '{"__proto__":{"a":1},"constructor":null}',
  "a payload of 256 KiB": `"${"a".repeat(MAX_PAYLOAD_BYTES - 2)}"`,
  "a payload of 256 KiB beyond the basic plane": `"${"\u{1f600}".repeat(MAX_PAYLOAD_BYTES / 4 - 1)}"`,
  "a payload of escapes": `"${"\\u0000\\ud83d".repeat(20_000)}"`,
  "a deep payload": `${"[".repeat(1_000)}${"]".repeat(1_000)}`,
  "a payload with white space": ' { "a" : [ 1 ,\n\t2 ] } ',
};

/** S8: JSON text comes back byte for byte. */
export const payloads: readonly TrialCase[] = [
  {
    name: "S8 any JSON text comes back byte for byte",
    async run({ store, check }) {
      let runs = 0;
      await check(
        fc.array(jsonText, { minLength: 1, maxLength: 5 }),
        async (texts) => {
          runs += 1;
          await keeps(store, `run-${runs}`, texts);
        },
        { kind: "values" },
      );
    },
  },
  ...Object.entries(NAMED).map(([what, text]): TrialCase => ({
    name: `S8 ${what} comes back byte for byte`,
    run: ({ store }) => keeps(store, "run", [text]),
  })),
  {
    name: "S8 metadata comes back byte for byte",
    async run({ store, check }) {
      let runs = 0;
      await check(
        jsonText,
        async (text) => {
          runs += 1;
          const created = await createRun(store, `run-${runs}`, OWNER, text);
          assertEqual(created.metadata, text, "the metadata of a run at its creation");
          assertEqual(await store.getRun(`run-${runs}`), created, "the run");
        },
        { kind: "values", always: Object.values(NAMED) },
      );
    },
  },
  {
    name: "S8 a phase of any characters comes back as its JSON text",
    async run({ store }) {
      const phases = ["", "\u0000", "\ud83d", '"', "\\", "\u{1f600}", "\u2028", "null", "é'%$1"];
      for (const [index, phase] of phases.entries()) {
        const text = JSON.stringify(phase);
        await createRun(store, `run-${index}`);
        const started = event("PHASE_STARTED", `{"phase":${text}}`);
        const landing = await land(store, `run-${index}`, [started]);
        assertEqual(landing.phase, text, "the phase of the landing");
        const { run, phaseAtSince } = await readRun(store, `run-${index}`, { since: 1 });
        assertEqual([run.phase, phaseAtSince], [text, text], "the phase of the run");
      }
    },
  },
  {
    name: "S8 event types and ids come back as they are",
    async run({ store }) {
      const runId = `_${"Run-9".repeat(25)}-_`;
      const types = ["A", "Z9_", `T${"_".repeat(63)}`, "RUN_STARTEDX"];
      await createRun(store, runId, "Ada <ada@example.org> é\u{1f600}'");
      await land(
        store,
        runId,
        types.map((type) => event(type)),
      );
      const { run, events } = await readLog(store, runId);
      assertEqual(
        [run.runId, run.ownerId, ...events.map((one) => one.eventType)],
        [runId, "Ada <ada@example.org> é\u{1f600}'", ...types],
        "the names",
      );
    },
  },
];

async function keeps(store: RunEventStore, runId: string, texts: readonly string[]): Promise<void> {
  await createRun(store, runId);
  await land(
    store,
    runId,
    texts.map((text) => event("TOKEN", text)),
  );
  const { events } = await readLog(store, runId);
  assertEqual(
    events.map((one) => one.payload),
    texts,
    "the payloads",
  );
}
