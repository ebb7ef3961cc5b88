import type fc from "fast-check";
import {
  type Appender,
  type AppendRequest,
  type ListQuery,
  type NewEvent,
  type ReadQuery,
  type RunEventStore,
} from "@tm/run-events-core/store";
import { appendRequest, event } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { isListed, judgeAppend, judgeDeletion, judgeHead, judgeRead } from "./judge.ts";
import { type ModelLease, NEW_LEASE } from "./model-lease.ts";
import type { Spelling } from "./spelling.ts";
import { appendToModel, checkRecord, type StoreModel } from "./run-model.ts";

/** The store objects under test, on the same data. */
export interface RealStore {
  /** The object that the next call goes through: each in turn, so that what one knows another has changed. */
  next(): RunEventStore;
  /** Closes one object and opens another in its place. */
  reopen(): Promise<void>;
  /** The prefix of every id and owner, so that many programs run on one store. */
  readonly prefix: string;
  /** How the names in commands are written. */
  spelling: Spelling;
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
}

/** One query of a call. */
interface ReadInput extends Required<Omit<ReadQuery, "since">> {
  /** Where to begin, counted from the head: before it if negative, past it if positive. */
  readonly fromHead: number;
}

/** A call with its input, which is what a failure shows. */
export function command(name: string, input: unknown, run: Command["run"]): Command {
  return { check: () => true, run, toString: () => `${name}(${JSON.stringify(input)})` };
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
    const requests = inputs.map((input): AppendRequest => {
      const runId = own(real, input.runId);
      const head = model.runs.get(runId)?.record.lastSequence ?? 0;
      return appendRequest(runId, input.batch, {
        ownerId: ownOrNull(real, input.ownerId),
        idempotencyKey: spelledOrNull(real, input.key),
        expectedSequence: input.expected === "head" ? head : input.expected,
        appender: appenderOf(input.by, model.runs.get(runId)?.lease ?? NEW_LEASE),
      });
    });
    const outcomes = await real.next().append(requests);
    assertEqual(outcomes.length, requests.length, "the number of outcomes");
    for (const [index, request] of requests.entries()) {
      judgeAppend(model, request, outcomes[index]);
    }
  });
}

function appenderOf(by: AppendInput["by"], { fence, former }: ModelLease): Appender {
  switch (by) {
    case "worker":
      return { by, fence };
    case "late":
      return { by: "worker", fence: former };
    case "reaper":
      return { by, graceMs: 0 };
    case "sweeper":
      return { by, runStatus: "running", idleForMs: 0 };
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
  /** Whether the run is ended first. */
  readonly ends: boolean;
}): Command {
  return command("deleteRun", input, async (model, real) => {
    const runId = own(real, input.runId);
    const ownerId = ownOrNull(real, input.ownerId);
    if (input.ends) {
      const end = appendRequest(runId, [event("RUN_CANCELLED")]);
      assertEqual(await real.next().append([end]), [appendToModel(model, end)], "the end");
    }
    judgeDeletion(model, runId, ownerId, await real.next().deleteRun(runId, ownerId));
  });
}

export function reopenCommand(): Command {
  return command("reopen", null, async (_model, real) => {
    await real.reopen();
  });
}
