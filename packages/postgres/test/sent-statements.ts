import type { Change, Commit, Head, Plain } from "@tm/run-events-core/store";
import { planPlains } from "../src/plan-plains.ts";
import type { Query } from "../src/query.ts";
import { encodeMany, encodeOne } from "../src/sql/append.ts";
import { commitAll } from "../src/sql/commit.ts";
import { listRuns } from "../src/sql/list.ts";
import { lockRuns } from "../src/sql/lock.ts";
import { selectPositions } from "../src/sql/positions.ts";
import { readPages } from "../src/sql/read.ts";
import { seeRuns } from "../src/sql/see.ts";
import type { Statements } from "../src/statements.ts";
import { createStatements } from "../src/statements.ts";
import { HEAD } from "./heads.ts";
import { plainOf } from "./plain-of.ts";

export const EVENTS = 200_000;
export const RUNS = 20_000;
/** The events of every run but the first. */
export const SHORT = 5;
/** A run finishes a day, since 1970. */
export const DAY_MS = 86_400_000;

type Value = string | number | boolean | null;
export type Literal = Value | readonly Value[];

/** The mark of a joined append. */
export const MARK = "mark";

export const sql: Statements = createStatements("run_events");

/** A statement as the store sends it. */
export interface Sent {
  readonly text: string;
  readonly values: readonly Literal[];
}

/** The first statement that a call sends. */
async function sentBy(call: (query: Query) => Promise<unknown>): Promise<Sent> {
  const sent = Promise.withResolvers<Sent>();
  const query: Query = (text, values = []) => {
    sent.resolve({ text, values: values as Literal[] });
    return Promise.resolve([]);
  };
  const answer = call(query);
  const first = await sent.promise;
  await answer;
  return first;
}

function nameOf(runId: string): { readonly ownerId: string; readonly runId: string } {
  return { ownerId: "ada", runId };
}

/** The plain append of one event with a key of its own to each run. */
export function appended(runIds: readonly string[]): Sent {
  const runs = planPlains(
    runIds.map((runId): Plain => plainOf(runId, true, { idempotencyKey: "new" })),
  );
  const [one] = runs;
  return one !== undefined && runs.length === 1
    ? { text: sql.appendToOne, values: encodeOne(one) as Literal[] }
    : { text: sql.append, values: encodeMany(runs) as Literal[] };
}

function seen(runId: string): Promise<Sent> {
  const keys = [`${runId}-900`, "none"];
  const change: Change<void> = {
    ...nameOf(runId),
    keys,
    topic: "rare",
    wantsMetadata: true,
    decide: () => ({ answer: undefined }),
  };
  return sentBy((query) => seeRuns(query, sql, [change]));
}

/** The commit of a decision about each run: it appends an event, removes the run, or makes it. */
export async function committed(
  runIds: readonly string[],
  does: "append" | "remove" | "make",
  isHeld = false,
): Promise<Sent> {
  const commits = runIds.map((runId): Commit => {
    const ordinal = Number(runId.replace("run-", ""));
    const head: Head = {
      ...HEAD,
      ...nameOf(runId),
      ordinal,
      lastSequence: does === "make" ? 0 : runId === "run-1" ? EVENTS : SHORT,
      exclusive: true,
      topic: does === "make" ? "new" : null,
    };
    const isNew = does === "make";
    const nowMs = Date.now() + 1_000_000;
    const shown = { receipts: new Map(), holder: null, nowMs, ordinal };
    const events = [{ eventType: "TOKEN", payload: "1", phase: null }];
    const after = { ...head, revision: 1, lastSequence: head.lastSequence + 1, metadata: "{}" };
    return {
      change: {
        ...nameOf(runId),
        topic: head.topic,
        decide: () => ({ answer: undefined }),
      },
      seen: { ...shown, head: isNew ? null : head },
      decision: {
        answer: undefined,
        ...(does === "remove" ? { after: null } : { after, events }),
      },
    };
  });
  return sentBy((query) => commitAll(query, sql, commits, isHeld));
}

function listed(asked: Parameters<typeof listRuns>[2]): Promise<Sent> {
  return sentBy((query) => listRuns(query, sql, asked));
}

/** A page of an owner's runs. */
function page(
  topic: string | null,
  runStatus: "running" | "failed" | "live" | null,
  before = RUNS / 2,
): Promise<Sent> {
  return listed({ ownerId: "ada", topic, runStatus, before, limit: 50 });
}

const several = Array.from({ length: 16 }, (_, at) => `run-${at * 1_200 + 1}`);
/** The shorter ones. */
const short = several.slice(1);

export const SENT: readonly (readonly [name: string, sent: () => Sent | Promise<Sent>])[] = [
  ["an append to one run", () => appended(["run-1"])],
  ["an append to several runs", () => appended(several)],
  ["what a decision sees", () => seen("run-1")],
  ["what a decision sees of a run that does not exist", () => seen("run-0")],
  ["a commit about one run", () => committed(["run-1"], "append")],
  ["a commit about several runs", () => committed(several.slice(0, 8), "append")],
  ["a commit about several locked runs", () => committed(several.slice(0, 8), "append", true)],
  ["a removal", () => committed(["run-9"], "remove")],
  ["several removals", () => committed(short, "remove")],
  ["a creation", () => committed(["run-90001"], "make")],
  ["several creations", () => committed(["run-90001", "run-90002"], "make")],
  ["a lock", () => sentBy((query) => lockRuns(query, sql, several.map(nameOf)))],
  ["a joined lock", () => ({ text: sql.lockJoined, values: ["ada", "run-1", MARK] })],
  [
    "what a joined decision sees",
    async () => {
      const { values } = await seen("run-1");
      return { text: sql.seeJoined, values: [...values, MARK] };
    },
  ],
  [
    "a joined commit",
    async () => {
      const { values } = await committed(["run-1"], "append");
      return { text: sql.saveJoined, values: [...values, MARK] };
    },
  ],
  [
    "a page of a run",
    () =>
      sentBy((query) =>
        readPages(query, sql, [
          { ...nameOf("run-1"), since: EVENTS / 2, limit: 10, maxBytes: 1_000_000 },
        ]),
      ),
  ],
  [
    "the positions of runs",
    () => sentBy((query) => selectPositions(query, sql, [nameOf("run-9")])),
  ],
  ["the runs of an owner", () => page(null, null)],
  ["the runs in a status", () => page(null, "running")],
  ["the live runs", () => page(null, "live")],
  ["the runs of a rare topic", () => page("rare", null)],
  ["the runs of a topic", () => page("often", null)],
  ["the runs of a topic in a status", () => page("often", "failed", RUNS)],
  ["the live runs of a rare topic", () => page("rare", "live", RUNS)],
  ["the live runs of a topic that has none", () => page("done", "live", RUNS)],
  ["the expired leases", () => listed({ due: "leased", forMs: 0, limit: 50 })],
  ["the runs without a worker", () => listed({ due: "running", forMs: 0, limit: 50 })],
  ["the queued runs", () => listed({ due: "queued", forMs: 3_600_000, limit: 50 })],
  [
    "the finished runs",
    () => listed({ due: "finished", forMs: Date.now() - 20 * DAY_MS, limit: 9 }),
  ],
  ["a probe", () => ({ text: sql.probe, values: [] })],
];
