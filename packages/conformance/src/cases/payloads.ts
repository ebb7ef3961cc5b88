import fc from "fast-check";
import { requests } from "@tm/run-events-core/wire";
import { event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { jsonText } from "../json-text-arbitrary.ts";
import { createRun, readLog, readRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

/** Payloads that stores are known to change or to refuse. */
const NAMED: readonly string[] = [
  '{"b":1,"a":{"d":2,"c":3}}',
  '{"10":1,"2":2}',
  '{"a":null,"a":1,"\\u0061":2}',
  "[1.0,1e2,-0,1E+2,100000000000000000000]",
  '{"__proto__":{"a":1},"constructor":null}',
  `"${"a".repeat(requests.MAX_PAYLOAD_BYTES - 2)}"`,
  `"${"\u{1f600}".repeat(requests.MAX_PAYLOAD_BYTES / 4 - 1)}"`,
  `"${"\\u0000\\ud83d".repeat(20_000)}"`,
  `"${"\\u0000".repeat(174_762)}aa"`,
  `{${Array.from({ length: 10_000 }, (_, key) => `"${9_999 - key}":${key}`).join(",")}}`,
  `${"[".repeat(1_000)}${"]".repeat(1_000)}`,
  `${'{"a":['.repeat(10_000)}${"]}".repeat(10_000)}`,
  "[1e400,-1e400,1e-400,-0.0,12345678901234567890]",
  "[9007199254740993,-9223372036854775809]",
  '"\u2028\u2029\\u2028\u0085"',
  '{"\\ud800":1,"\\udc00":2,"\\uD800":3}',
  ' { "a" : [ 1 ,\n\t2 ] } ',
];

const NAMED_PHASES = [
  "",
  "\u0000",
  "\ud83d",
  '"',
  "\\",
  "\u{1f600}",
  "\u2028",
  "null",
  "é'%$1",
  "é".repeat(50_000),
];
/** Any string at all, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

/** Cases of S8 in `STORE.md`: JSON text comes back byte for byte. */
export const payloads: readonly TrialCase[] = [
  {
    name: "S8 any JSON text comes back byte for byte, as a payload and as metadata",
    async run({ store, check }) {
      let runs = 0;
      await check(
        fc.array(jsonText, { minLength: 1, maxLength: 5 }),
        async (texts) => {
          runs += 1;
          await keeps(store, `run-${runs}`, texts);
        },
        { kind: "values", always: NAMED.map((text) => [text]) },
      );
    },
  },
  {
    name: "S8 a phase of any characters comes back as its JSON text",
    async run({ store, check }) {
      let runs = 0;
      await check(
        anyText,
        async (phase) => {
          runs += 1;
          await keepsPhase(store, `run-${runs}`, phase);
        },
        { kind: "values", always: NAMED_PHASES },
      );
    },
  },
];

async function keeps(store: KitStore, runId: string, texts: readonly string[]): Promise<void> {
  const [metadata = "null"] = texts;
  const created = await createRun(store, runId, OWNER, metadata);
  assertEqual(created.metadata, metadata, "the metadata of a run at its creation");
  assertEqual(await store.getRun(runId), created, "the run");
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

async function keepsPhase(store: KitStore, runId: string, phase: string): Promise<void> {
  const text = JSON.stringify(phase);
  await createRun(store, runId);
  const started = event("PHASE_STARTED", `{"phase":${text}}`);
  const landing = await land(store, runId, [started]);
  assertEqual(landing.phase, text, "the phase in the outcome");
  const { run } = await readRun(store, runId, { since: 1 });
  assertEqual(run.phase, text, "the phase of the run");
}
