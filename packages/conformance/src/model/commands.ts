import fc from "fast-check";
import { type NewEvent, type OwnerQuery, type RunName } from "@tm/run-events-core/store";
import type { AppendRequest, Appender } from "../core-calls.ts";
import type { KitQuery, KitStore } from "../kit-store.ts";
import { appendRequest } from "../append-request.ts";
import { assertEqual, escaped } from "../assert.ts";
import { isListed, judgeAppend, judgeDeletion, judgeHead, judgeRead } from "./judge.ts";
import { type ModelLease, NEW_LEASE } from "./model-lease.ts";
import { notified, type Watch } from "./watch.ts";
import type { Spelling } from "./spelling.ts";
import { checkRecord, runOf, type StoreModel } from "./run-model.ts";

/** The store objects under test, on the same data. */
export interface RealStore {
  /** The object that the next call goes through: each in turn, so that what one knows another has changed. */
  next(): KitStore;
  /** Closes one object and opens another in its place. */
  reopen(): Promise<void>;
  /** The prefix of every id and owner, so that many programs run on one store. */
  readonly prefix: string;
  /** The spelling of the names in commands. */
  spelling: Spelling;
  /** The program's subscriptions, also those that were stopped. */
  readonly watches: Watch[];
}

/** One call, which is made of the store and of the model. */
export interface Command extends fc.WithToStringMethod {
  readonly run: (model: StoreModel, real: RealStore) => Promise<void>;
}

/** One request of a call. */
export interface AppendInput {
  readonly runId: string;
  readonly ownerId: string;
  readonly batch: readonly NewEvent[];
  readonly key: string | null;
  /** `head`: the head of the model. */
  readonly expected: number | "head" | null;
  /** `late`: a worker whose fence is over. */
  readonly by: "anybody" | "worker" | "late" | "owner" | "input";
}

/** One query of a call. */
interface ReadInput extends Omit<KitQuery, "since" | "ownerId"> {
  readonly ownerId: string;
  /** Where to begin, counted from the head: before it if negative, past it if positive. */
  readonly fromHead: number;
}

const SHOWN_CHARACTERS = 200;

/** A call with its input, which is what a failure shows. */
export function command(name: string, input: unknown, run: Command["run"]): Command {
  return {
    run: (model, real) => notified(model, real, () => run(model, real)),
    [fc.toStringMethod]: () => `${name}(${escaped(JSON.stringify(input, inShort))})`,
  };
}

/** A long payload says nothing in a failure but its length. */
function inShort(_key: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= SHOWN_CHARACTERS) return value;
  return `${value.slice(0, SHOWN_CHARACTERS)}… ${value.length} characters`;
}

/** The spelling of a name. */
function spelled(real: RealStore, name: string): string {
  return real.spelling[name] ?? name;
}

export function spelledOrNull(real: RealStore, name: string | null): string | null {
  return name === null ? null : spelled(real, name);
}

/** The spelling of a run or an owner: with the program's prefix, which no other has. */
export function own(real: RealStore, name: string): string {
  return `${real.prefix}${spelled(real, name)}`;
}

/** A run as it is named. */
export function ownRun(real: RealStore, { ownerId, runId }: RunName): RunName {
  return { ownerId: own(real, ownerId), runId: own(real, runId) };
}

export function appendCommand(inputs: readonly AppendInput[]): Command {
  return command("append", inputs, async (model, real) => {
    const requests = inputs.map((input): AppendRequest => {
      const name = ownRun(real, input);
      const run = runOf(model, name);
      const head = run?.record.lastSequence ?? 0;
      return appendRequest(name.runId, input.batch, {
        ownerId: name.ownerId,
        idempotencyKey: spelledOrNull(real, input.key),
        expectedSequence: input.expected === "head" ? head : input.expected,
        appender: appenderOf(input, run?.lease ?? NEW_LEASE),
      });
    });
    const outcomes = await real.next().append(requests);
    assertEqual(outcomes.length, requests.length, "the number of outcomes");
    for (const [index, request] of requests.entries()) {
      judgeAppend(model, request, outcomes[index]);
    }
  });
}

function appenderOf({ by }: AppendInput, { fence, former }: ModelLease): Appender {
  switch (by) {
    case "worker":
      return { by, fence };
    case "late":
      return { by: "worker", fence: former };
    case "anybody":
    case "owner":
    case "input":
      return { by };
  }
}

export function readCommand(inputs: readonly ReadInput[]): Command {
  return command("read", inputs, async (model, real) => {
    const queries = inputs.map(({ fromHead, limit, maxBytes, ...input }) => {
      const name = ownRun(real, input);
      const head = runOf(model, name)?.record.lastSequence ?? 0;
      return { ...name, since: Math.max(0, head + fromHead), limit, maxBytes };
    });
    const answers = await real.next().read(queries);
    assertEqual(answers.length, queries.length, "the number of answers");
    for (const [index, query] of queries.entries()) {
      judgeRead(model, query, answers[index] ?? null);
    }
  });
}

export function getRunCommand(input: RunName): Command {
  return command("getRun", input, async (model, real) => {
    const name = ownRun(real, input);
    judgeHead(model, name, await real.next().getRun(name.runId, name.ownerId));
  });
}

export function listCommand(
  input: Pick<OwnerQuery, "ownerId" | "runStatus" | "topic"> & { readonly page: number },
): Command {
  return command("listRuns", input, async (model, real) => {
    const ownerId = own(real, input.ownerId);
    const { runStatus, page: limit } = input;
    const topic = spelledOrNull(real, input.topic);
    const expected = [...model.runs.values()]
      .filter((run) => isListed(run, { ownerId, topic, runStatus }))
      .toSorted((a, b) => (b.record.ordinal ?? 0) - (a.record.ordinal ?? 0));
    let before: number | null = null;
    for (let from = 0; from <= expected.length; from += limit) {
      const runs = await real.next().listRuns({ ownerId, runStatus, topic, before, limit });
      const page = expected.slice(from, from + limit);
      assertEqual(
        runs.map((run) => run.runId),
        page.map((run) => run.record.runId),
        "the list",
      );
      for (const [index, run] of page.entries()) checkRecord(run, runs[index] ?? null);
      before = runs.at(-1)?.ordinal ?? before;
    }
  });
}

export function deleteCommand(input: RunName): Command {
  return command("deleteRun", input, async (model, real) => {
    const name = ownRun(real, input);
    judgeDeletion(model, name, await real.next().deleteRun(name.runId, name.ownerId));
  });
}

export function reopenCommand(): Command {
  return command("reopen", null, async (_model, real) => {
    await real.reopen();
  });
}
