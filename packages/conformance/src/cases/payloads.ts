import fc from "fast-check";
import { MAX_PAYLOAD_BYTES } from "@tm/run-events-core/store";
import { event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { jsonText } from "../json-text-arbitrary.ts";
import { createRun, readLog, readRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
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
  "a payload of 1 MiB": `"${"\\u0000".repeat(174_762)}aa"`,
  "a payload of 10,000 keys": `{${Array.from({ length: 10_000 }, (_, key) => `"${9_999 - key}":${key}`).join(",")}}`,
  "a deep payload": `${"[".repeat(1_000)}${"]".repeat(1_000)}`,
  "a payload of 20,000 levels": `${'{"a":['.repeat(10_000)}${"]}".repeat(10_000)}`,
  "a payload with numbers beyond a double": "[1e400,-1e400,1e-400,-0.0,12345678901234567890]",
  "a payload with integers beyond 2^53": "[9007199254740993,-9223372036854775809]",
  "a payload with line separators": '"\u2028\u2029\\u2028\u0085"',
  "a payload with a lone surrogate for a key": '{"\\ud800":1,"\\udc00":2,"\\uD800":3}',
  "a payload with white space": ' { "a" : [ 1 ,\n\t2 ] } ',
};

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

/** What a store may take for the same: case, white space, and what a collation or a normal form makes equal. */
const LIKE_NAMES = [
  "ada",
  "Ada",
  "ADA",
  " ada",
  "ada ",
  "ad\u00e9",
  "ade\u0301",
  "ade",
  "",
  "a%",
  "a_a",
  `${"a".repeat(254)}b`,
  `${"a".repeat(254)}c`,
];
const LIKE_IDS = ["run", "Run", "RUN", "run_", "run-", "_run", "0", "00", "__proto__"];
const LIKE_KEYS = [
  "k",
  "K",
  "k ",
  " k",
  " ",
  "  ",
  "%",
  "_",
  "k%",
  "'",
  '"',
  "\\",
  "__proto__",
  "~",
  "-k",
  "_k",
];

/** Cases of S8 in `STORE.md`: JSON text comes back byte for byte. */
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
  {
    name: "S8 event types and ids come back unchanged",
    async run({ store }) {
      const runId = `_${"Run-9".repeat(25)}-_`;
      const ownerId = "Ada <ada@example.org> é\u{1f600}'";
      const types = ["A", "Z9_", `T${"_".repeat(63)}`, "RUN_STARTEDX"];
      await createRun(store, runId, ownerId);
      const batch = types.map((type) => event(type));
      await land(store, runId, batch, { ownerId });
      const { run, events } = await readRun(store, runId, { ownerId });
      assertEqual(
        [run.runId, run.ownerId, ...events.map((one) => one.eventType)],
        [runId, ownerId, ...types],
        "the names",
      );
    },
  },
  {
    name: "S8 owners that look alike are different owners",
    async run({ store }) {
      for (const [index, owner] of LIKE_NAMES.entries()) {
        await createRun(store, `run-${index}`, owner);
      }
      for (const [index, ownerId] of LIKE_NAMES.entries()) {
        const list = await store.listRuns({ ownerId, runStatus: null, before: null, limit: 100 });
        const found = list.map((run) => [run.runId, run.ownerId]);
        assertEqual(found, [[`run-${index}`, ownerId]], `the runs of ${JSON.stringify(ownerId)}`);
      }
    },
  },
  {
    name: "S8 run ids and keys that look alike are different",
    async run({ store }) {
      for (const runId of LIKE_IDS) await createRun(store, runId);
      for (const runId of LIKE_IDS) {
        for (const [index, idempotencyKey] of LIKE_KEYS.entries()) {
          const { firstSequence } = await land(store, runId, events(1), { idempotencyKey });
          assertEqual(
            firstSequence,
            index + 1,
            `where the key ${idempotencyKey} landed in ${runId}`,
          );
        }
      }
    },
  },
];

async function keeps(store: KitStore, runId: string, texts: readonly string[]): Promise<void> {
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

async function keepsPhase(store: KitStore, runId: string, phase: string): Promise<void> {
  const text = JSON.stringify(phase);
  await createRun(store, runId);
  const started = event("PHASE_STARTED", `{"phase":${text}}`);
  const landing = await land(store, runId, [started]);
  assertEqual(landing.phase, text, "the phase in the outcome");
  const { run } = await readRun(store, runId, { since: 1 });
  assertEqual(run.phase, text, "the phase of the run");
}
