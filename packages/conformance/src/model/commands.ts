import type fc from "fast-check";
import {
  type Appender,
  type AppendRequest,
  type ListQuery,
  type LiveStatus,
  type NewEvent,
  type ReadQuery,
} from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { appendRequest } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { isListed, judgeAppend, judgeDeletion, judgeHead, judgeRead } from "./judge.ts";
import { LONG_MS } from "../lease.ts";
import { type Age, ageMs } from "./age.ts";
import { type ModelLease, NEW_LEASE } from "./model-lease.ts";
import { notified, type Watch } from "./watch.ts";
import type { Spelling } from "./spelling.ts";
import { checkRecord, type StoreModel } from "./run-model.ts";

/** The store objects under test, on the same data. */
export interface RealStore {
  /** The object that the next call goes through: each in turn, so that what one knows another has changed. */
  next(): KitStore;
  /** Closes one object and opens another in its place. */
  reopen(): Promise<void>;
  /** The prefix of every id and owner, so that many programs run on one store. */
  readonly prefix: string;
  /** How the names in commands are written. */
  spelling: Spelling;
  /** The program's subscriptions, also those that were stopped. */
  readonly watches: Watch[];
}

/** One call, which is made of the store and of the model. */
export type Command = fc.AsyncCommand<StoreModel, RealStore>;

/** One request of a call. */
export interface AppendInput {
  readonly runId: string;
  readonly ownerId: string | null;
  readonly batch: readonly NewEvent[];
  readonly key: string | null;
  /** `head`: the head of the model. */
  readonly expected: number | "head" | null;
  /** `late`: a worker whose fence is over. */
  readonly by: "anybody" | "worker" | "late" | "owner" | "input" | "reaper" | "sweeper";
  /** The status that a sweeper takes the run to be in. */
  readonly sweeps: LiveStatus;
  /** For how long a reaper or a sweeper wants the run to be due: `exact` where it is the only request of its call. */
  readonly age: Age;
}

/** One query of a call. */
interface ReadInput extends Required<Omit<ReadQuery, "since">> {
  /** Where to begin, counted from the head: before it if negative, past it if positive. */
  readonly fromHead: number;
}

const SHOWN_CHARACTERS = 200;

/** A call with its input, which is what a failure shows. */
export function command(name: string, input: unknown, run: Command["run"]): Command {
  return {
    check: () => true,
    run: (model, real) => notified(model, real, () => run(model, real)),
    toString: () => `${name}(${JSON.stringify(input, inShort)})`,
  };
}

/** A long payload says nothing in a failure but its length. */
function inShort(_key: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= SHOWN_CHARACTERS) return value;
  return `${value.slice(0, SHOWN_CHARACTERS)}… ${value.length} characters`;
}

/** How a name is written. */
function spelled(real: RealStore, name: string): string {
  return real.spelling[name] ?? name;
}

export function spelledOrNull(real: RealStore, name: string | null): string | null {
  return name === null ? null : spelled(real, name);
}

/** How a run or an owner is written: with the program's prefix, which no other has. */
export function own(real: RealStore, name: string): string {
  return `${real.prefix}${spelled(real, name)}`;
}

export function ownOrNull(real: RealStore, name: string | null): string | null {
  return name === null ? null : own(real, name);
}

export function appendCommand(inputs: readonly AppendInput[]): Command {
  return command("append", inputs, async (model, real) => {
    const [first] = inputs;
    const isAlone = inputs.length === 1 && first !== undefined;
    const exactMs = isAlone ? await dueForMs(model, real, first) : 0;
    const requests = inputs.map((input): AppendRequest => {
      const runId = own(real, input.runId);
      const head = model.runs.get(runId)?.record.lastSequence ?? 0;
      const dueMs = input.age === "long" ? LONG_MS : exactMs;
      return appendRequest(runId, input.batch, {
        ownerId: ownOrNull(real, input.ownerId),
        idempotencyKey: spelledOrNull(real, input.key),
        expectedSequence: input.expected === "head" ? head : input.expected,
        appender: appenderOf(input, model.runs.get(runId)?.lease ?? NEW_LEASE, dueMs),
      });
    });
    const outcomes = await real.next().append(requests);
    assertEqual(outcomes.length, requests.length, "the number of outcomes");
    for (const [index, request] of requests.entries()) {
      judgeAppend(model, request, outcomes[index]);
    }
  });
}

/** For how long the run of a reaper's or a sweeper's append has been due. */
async function dueForMs(model: StoreModel, real: RealStore, input: AppendInput): Promise<number> {
  const runId = own(real, input.runId);
  const run = model.runs.get(runId);
  if (input.age !== "exact" || run === undefined) return 0;
  if (input.by === "reaper") return ageMs(real, "exact", run.lease.expiresAtMs);
  return input.by === "sweeper" ? ageMs(real, "exact", await idleSinceOf(model, real, runId)) : 0;
}

function appenderOf(
  { by, sweeps }: AppendInput,
  { fence, former }: ModelLease,
  dueMs: number,
): Appender {
  switch (by) {
    case "worker":
      return { by, fence };
    case "late":
      return { by: "worker", fence: former };
    case "reaper":
      return { by, graceMs: dueMs };
    case "sweeper":
      return { by, runStatus: sweeps, idleForMs: dueMs };
    case "anybody":
    case "owner":
    case "input":
      return { by };
  }
}

export function readCommand(inputs: readonly ReadInput[]): Command {
  return command("read", inputs, async (model, real) => {
    const queries = inputs.map(({ fromHead, limit, maxBytes, withTime, ...input }): ReadQuery => {
      const runId = own(real, input.runId);
      const head = model.runs.get(runId)?.record.lastSequence ?? 0;
      const ownerId = ownOrNull(real, input.ownerId);
      return { runId, ownerId, since: Math.max(0, head + fromHead), limit, maxBytes, withTime };
    });
    const answers = await real.next().read(queries);
    assertEqual(answers.length, queries.length, "the number of answers");
    for (const [index, query] of queries.entries()) {
      judgeRead(model, query, answers[index] ?? null);
    }
  });
}

export function getRunCommand(name: string): Command {
  return command("getRun", name, async (model, real) => {
    const runId = own(real, name);
    judgeHead(model, runId, await real.next().getRun(runId));
  });
}

/** Since when a run is idle, as its head shows it: which the model learns, too. */
export async function idleSinceOf(
  model: StoreModel,
  real: RealStore,
  runId: string,
): Promise<number | null> {
  const run = await real.next().getRun(runId);
  judgeHead(model, runId, run);
  if (run === null) return null;
  return run.runStatus === "queued" ? run.createdAtMs : Math.max(run.idleFromMs, run.updatedAtMs);
}

export function listCommand(
  input: Pick<ListQuery, "ownerId" | "runStatus" | "topic"> & {
    readonly page: number;
    readonly withMetadata: boolean;
  },
): Command {
  return command("listRuns", input, async (model, real) => {
    const ownerId = own(real, input.ownerId);
    const { runStatus, withMetadata, page: limit } = input;
    const topic = spelledOrNull(real, input.topic ?? null);
    const expected = [...model.runs.values()]
      .filter((run) => isListed(run, { ownerId, topic, runStatus }))
      .toSorted((a, b) => b.record.ordinal - a.record.ordinal);
    let before: number | null = null;
    for (let from = 0; from <= expected.length; from += limit) {
      const query = { ownerId, runStatus, topic, before, limit, withMetadata };
      const runs = await real.next().listRuns(query);
      const page = expected.slice(from, from + limit);
      assertEqual(
        runs.map((run) => run.runId),
        page.map((run) => run.record.runId),
        "the list",
      );
      for (const [index, run] of page.entries()) {
        const { metadata } = run.record;
        const listed = runs[index] ?? null;
        if (withMetadata || listed === null) checkRecord(run, listed);
        else {
          assertEqual(listed.metadata, "", "the metadata in a list without it");
          checkRecord(run, { ...listed, metadata });
        }
      }
      before = runs.at(-1)?.ordinal ?? before;
    }
  });
}

export function deleteCommand(input: {
  readonly runId: string;
  readonly ownerId: string | null;
}): Command {
  return command("deleteRun", input, async (model, real) => {
    const runId = own(real, input.runId);
    const ownerId = ownOrNull(real, input.ownerId);
    judgeDeletion(model, runId, ownerId, await real.next().deleteRun(runId, ownerId));
  });
}

export function reopenCommand(): Command {
  return command("reopen", null, async (_model, real) => {
    await real.reopen();
  });
}
