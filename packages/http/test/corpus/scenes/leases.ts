import { ask, askJson, completed, note, run, type Scene } from "../scene.ts";

const CLAIM = run("live", "/claim");
const EVENTS = run("live", "/events");
/** What the first claim of a run gets: the store's clock is at 2026-06-20T12:00:00Z. */
const FIRST_FENCE = 1_781_956_800_000_001;

const BAD_BODIES: readonly unknown[] = [
  "",
  "{",
  [],
  {},
  { leaseMs: "60000" },
  { leaseMs: 999 },
  { leaseMs: 3_600_001 },
  { leaseMs: 1_000.5 },
  { leaseMs: null },
  { leaseMs: 60_000, fence: 1, other: 2 },
  { fence: 1 },
  { fence: "1" },
  { fence: 0, leaseMs: 60_000 },
  { fence: 1.5, leaseMs: 60_000 },
];

export const LEASE_SCENES: readonly Scene[] = [
  {
    name: "leases that are refused",
    runs: { live: [], ended: [completed] },
    steps: [
      ...["POST", "PUT", "DELETE"].flatMap((method) => [
        ...BAD_BODIES.map((body) => askJson(method, CLAIM, body)),
        askJson(method, run("none", "/claim"), { fence: 1, leaseMs: 60_000 }),
        askJson(method, CLAIM, { fence: 1, leaseMs: 60_000 }, {}, "bob"),
        askJson(method, CLAIM, { fence: 1, leaseMs: 60_000 }, {}, "anonymous"),
      ]),
      askJson("POST", run("ended", "/claim"), { leaseMs: 60_000 }),
      askJson("PUT", run("ended", "/claim"), { leaseMs: 60_000, fence: 1 }),
      askJson("DELETE", run("ended", "/claim"), { fence: 1 }),
      askJson("POST", CLAIM, { leaseMs: 60_000 }, { "idempotency-key": "x".repeat(129) }),
    ],
  },
  {
    name: "the life of a lease",
    runs: { live: [] },
    steps: [
      askJson("POST", CLAIM, { leaseMs: 60_000 }, { "idempotency-key": "claim" }),
      askJson("POST", CLAIM, { leaseMs: 5_000 }, { "idempotency-key": "claim" }),
      askJson("POST", CLAIM, { leaseMs: 60_000 }),
      ...[FIRST_FENCE - 1, FIRST_FENCE, FIRST_FENCE + 1, FIRST_FENCE + 2].flatMap((fence) => [
        askJson("PUT", CLAIM, { fence, leaseMs: 60_000 }),
        askJson("POST", EVENTS, { events: [note(fence)] }, { "run-fence": String(fence) }),
        ask("POST", EVENTS, {
          headers: { "content-type": "application/x-ndjson", "run-fence": String(fence) },
          body: '{"eventType":"LINE"}\n',
          name: `a line under ${fence}`,
        }),
      ]),
      askJson("POST", EVENTS, { events: [note()] }),
      { advanceMs: 61_000 },
      askJson("PUT", CLAIM, { fence: FIRST_FENCE, leaseMs: 1_000 }),
      { advanceMs: 2_000 },
      askJson("POST", CLAIM, { leaseMs: 60_000 }),
      askJson("PUT", CLAIM, { fence: FIRST_FENCE, leaseMs: 1_000 }),
      askJson("DELETE", CLAIM, { fence: FIRST_FENCE }),
      askJson("DELETE", CLAIM, { fence: FIRST_FENCE + 63_000_000 }),
      askJson("DELETE", CLAIM, { fence: FIRST_FENCE + 63_000_000 }),
      askJson("POST", EVENTS, { events: [note()] }),
      ask("POST", run("live", "/cancel")),
      askJson("POST", CLAIM, { leaseMs: 60_000 }),
      ask("GET", EVENTS),
    ],
  },
];
