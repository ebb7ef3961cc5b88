import { parentPort, workerData } from "node:worker_threads";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createHandler } from "../../src/index.ts";

/** The longest body, and the longest header of node:http. */
const BODY = 4_194_304;
const HEADER = 16_384;
/** Texts at which a parser may look back or start over. */
const PIECES = [
  " ",
  "\t",
  "\r",
  '"',
  "\\",
  "[",
  "{",
  "]",
  ",",
  ":",
  ";",
  "=",
  "0",
  "-",
  "a",
  '\\"',
  '" ',
  "a ",
  "[ ",
  '"\\',
  "é",
];

const runs = createRunEvents({ store: createMemoryStore() });
await runs.create({ ownerId: "ada", runId: "r" });
const handler = createHandler({
  runs,
  authenticate: () => ({ userId: "ada", credential: "bearer" }),
});
let read = 0;

async function ask(path: string, headers: Record<string, string>, body?: string): Promise<void> {
  const init = { method: body === undefined ? "GET" : "POST", headers, body: body ?? null };
  const response = await handler.fetch(new Request(`http://127.0.0.1${path}`, init));
  await response.text();
  read += 1;
}

/** The text, as often as there is room. */
function fill(piece: string, bytes: number): string {
  return piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
}

/** JSON texts with a long run of each piece: between tokens, in a string, as a value, unfinished. */
function* bodies(wrap: (middle: string) => string): Generator<string> {
  const room = BODY - 200;
  for (const piece of PIECES) {
    const run = fill(piece, room);
    yield run;
    yield wrap(run);
    yield wrap(`"${run}"`);
    yield wrap(`"a",${run}"b":1`);
    yield wrap(`"payload":${fill(piece, room / 2)}1${fill(piece, room / 2)}`);
  }
  yield wrap(fill("[", room / 2) + fill("]", room / 2));
  yield wrap(JSON.stringify(fill("\\", room / 4)));
  yield wrap(JSON.stringify(fill('"', room / 4)));
}

async function readBodies(type: string, wrap: (middle: string) => string): Promise<void> {
  const headers = { "content-type": type };
  for (const body of bodies(wrap)) await ask("/v1/agent-runs/r/events", headers, body);
}

async function readHeaders(): Promise<void> {
  const names = [
    "if-none-match",
    "idempotency-key",
    "run-fence",
    "last-event-id",
    "origin",
    "content-type",
    "content-encoding",
    "sec-fetch-site",
    "cookie",
    "authorization",
  ];
  for (const piece of PIECES.filter((one) => /^[\t\x20-\x7e]+$/.test(one))) {
    const run = `x${fill(piece, HEADER)}x`;
    for (const name of names) {
      await ask("/v1/agent-runs/r/events", { [name]: run });
      await ask(
        "/v1/agent-runs/r/events",
        { "content-type": "application/json", [name]: run },
        "{}",
      );
    }
    for (const name of ["since", "limit", "wait", "status", "cursor"]) {
      const query = `${name}=${encodeURIComponent(run)}`;
      await ask(`/v1/agent-runs?${query}`, {});
      await ask(`/v1/agent-runs/r/events?${query}`, {});
    }
    await ask(`/v1/agent-runs/${encodeURIComponent(run)}/events`, {});
    await ask(`/${fill("/", HEADER)}${encodeURIComponent(run)}`, {});
  }
}

const PARSERS: Readonly<Record<string, () => Promise<void>>> = {
  json: () =>
    readBodies("application/json", (middle) => `{"events":[{"eventType":"A",${middle}}]}`),
  ndjson: () => readBodies("application/x-ndjson", (middle) => `{"eventType":"A",${middle}}\n`),
  headers: readHeaders,
};

await PARSERS[workerData as string]?.();
await runs.close();
parentPort?.postMessage(read);
