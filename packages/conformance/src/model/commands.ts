import fc from "fast-check";
import {
  type AppendRequest,
  createPageCut,
  isTerminal,
  type ListQuery,
  type NewEvent,
  type ReadQuery,
  type RunEventStore,
  utf8Bytes,
} from "@tm/run-events-core";
import { appendRequest, event } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import {
  appendToModel,
  checkEvents,
  checkRecord,
  learnRun,
  phaseAt,
  type StoreModel,
  visibleRun,
} from "./run-model.ts";

/** The store under test. Reopening replaces it. */
export interface RealStore {
  store: RunEventStore;
  readonly reopen: () => Promise<RunEventStore>;
  /** Stands before every id and owner, so that many programs run on one store. */
  readonly prefix: string;
}

type Command = fc.AsyncCommand<StoreModel, RealStore>;

/** Few names, batches and keys, so that they meet often. */
const runIds = fc.constantFrom("a", "a", "a", "b");
const owners = fc.constantFrom("ada", "ada", "ada", "ada", "ada", "bob");
const anyOwner = fc.option(owners, { nil: null, freq: 2 });
const metadatas = fc.constantFrom("null", '{"b":1.0,"a":"\\u0000"}');
const statuses = fc.constantFrom("queued", "running", "completed", "failed", "cancelled");
const batches: fc.Arbitrary<readonly NewEvent[]> = fc.constantFrom(
  [event("RUN_STARTED")],
  [event("TOKEN", "1.0")],
  [event("TOKEN", '"é\u{1f600}"'), event("TOKEN", "2"), event("TOKEN", "[]")],
  [event("PHASE_STARTED", '{"phase":"plan"}')],
  [event("TOKEN"), event("PHASE_STARTED", '{"phase":"\\u0000"}'), event("TOKEN")],
  [event("PHASE_STARTED", '{"phase":"a"}'), event("PHASE_STARTED", '{"phase":"b"}')],
  [event("TOKEN"), event("RUN_COMPLETED")],
  [event("RUN_CANCELLED")],
);

interface AppendInput {
  readonly runId: string;
  readonly ownerId: string | null;
  readonly batch: readonly NewEvent[];
  readonly key: string | null;
  /** `head`: whatever the model says. */
  readonly expected: number | "head" | null;
}

const conditions = {
  runId: runIds,
  ownerId: anyOwner,
  expected: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: fc.constant("head" as const) },
    { weight: 1, arbitrary: fc.nat(6) },
  ),
};
const key = fc.option(fc.constantFrom("k", "l"), { nil: null, freq: 2 });
const retried = { batch: fc.constant([event("TOKEN", "0"), event("TOKEN", "1")]), key };

const appendInputs: fc.Arbitrary<AppendInput> = fc.oneof(
  fc.record({ ...conditions, batch: batches, key }),
  // The same events again and again, so that keys come again with their own.
  fc.record({ ...conditions, ...retried }),
);

/** What a program draws from; what reopens only where the store can. */
function commandArbitraries(canReopen: boolean): fc.Arbitrary<Command>[] {
  const create = fc.record({ runId: runIds, ownerId: owners, metadata: metadatas });
  const query = fc.record({
    runId: runIds,
    ownerId: anyOwner,
    since: fc.nat(12),
    limit: fc.integer({ min: 1, max: 12 }),
    maxBytes: fc.integer({ min: 1, max: 2_500 }),
  });
  const list = fc.record({
    ownerId: owners,
    runStatus: fc.option(statuses, { nil: null, freq: 2 }),
    page: fc.integer({ min: 1, max: 3 }),
  });
  const remove = fc.record({ runId: runIds, ownerId: anyOwner });
  const append = fc.array(appendInputs, { minLength: 1, maxLength: 3 }).map(appendCommand);
  const read = fc.array(query, { minLength: 1, maxLength: 3 }).map(readCommand);
  return [
    // More often what a program needs most.
    create.map(createCommand),
    create.map(createCommand),
    append,
    append,
    append,
    read,
    read,
    runIds.map(getRunCommand),
    list.map(listCommand),
    remove.map(deleteCommand),
    ...(canReopen ? [fc.constant(reopenCommand())] : []),
  ];
}

/** Programs of so many commands at the most, behind one that creates the run which most of them are about. */
export function commandsArbitrary(
  canReopen: boolean,
  constraints: fc.CommandsContraints,
): fc.Arbitrary<Iterable<Command>> {
  const first = createCommand({ runId: "a", ownerId: "ada", metadata: "null" });
  return fc
    .commands(commandArbitraries(canReopen), constraints)
    .map((program) => putBefore(first, program));
}

/** Prints, and is cloned for each run, as fast-check's own programs are. */
function putBefore(first: Command, program: Iterable<Command>): Iterable<Command> {
  return {
    *[Symbol.iterator]() {
      yield first;
      yield* program;
    },
    toString: () => `${first.toString()},${fc.stringify(program)}`,
    [fc.cloneMethod]: () => putBefore(first, fc.cloneIfNeeded(program)),
  } as Iterable<Command>;
}

function command(name: string, input: unknown, run: Command["run"]): Command {
  return { check: () => true, run, toString: () => `${name}(${JSON.stringify(input)})` };
}

/** Puts the program's prefix before a name. */
function own(real: RealStore, name: string): string {
  return `${real.prefix}${name}`;
}

function ownOrNull(real: RealStore, name: string | null): string | null {
  return name === null ? null : own(real, name);
}

function createCommand(input: {
  readonly runId: string;
  readonly ownerId: string;
  readonly metadata: string;
}): Command {
  return command("createRun", input, async (model, real) => {
    const request = {
      runId: own(real, input.runId),
      ownerId: own(real, input.ownerId),
      metadata: input.metadata,
    };
    const before = model.runs.get(request.runId);
    const created = await real.store.createRun(request);
    if (before === undefined) {
      assertEqual(created.outcome, "created", "the outcome");
      if (created.outcome !== "taken") learnRun(model, request, created.run);
    } else if (before.record.ownerId === request.ownerId) {
      assertEqual(created.outcome, "existing", "the outcome");
      if (created.outcome !== "taken") checkRecord(before, created.run);
    } else {
      assertEqual(created, { outcome: "taken" }, "the outcome");
    }
  });
}

function appendCommand(inputs: readonly AppendInput[]): Command {
  return command("append", inputs, async (model, real) => {
    const requests = inputs.map((input): AppendRequest => {
      const runId = own(real, input.runId);
      const head = model.runs.get(runId)?.record.lastSequence ?? 0;
      return appendRequest(runId, input.batch, {
        ownerId: ownOrNull(real, input.ownerId),
        idempotencyKey: input.key,
        expectedSequence: input.expected === "head" ? head : input.expected,
      });
    });
    const outcomes = await real.store.append(requests);
    assertEqual(
      outcomes,
      requests.map((request) => appendToModel(model, request)),
      "the outcomes",
    );
  });
}

function readCommand(inputs: readonly ReadQuery[]): Command {
  return command("read", inputs, async (model, real) => {
    const queries = inputs.map((input) => ({
      ...input,
      runId: own(real, input.runId),
      ownerId: ownOrNull(real, input.ownerId),
    }));
    const answers = await real.store.read(queries);
    assertEqual(answers.length, queries.length, "the number of answers");
    for (const [index, query] of queries.entries()) {
      const run = visibleRun(model, query.runId, query.ownerId);
      const answer = answers[index] ?? null;
      if (run === undefined || answer === null) {
        assertEqual(answer, run ?? null, `the answer for ${query.runId}`);
        continue;
      }
      checkRecord(run, answer.run);
      checkEvents(run, query.since, answer.events);
      const belongs = createPageCut(query.limit, query.maxBytes);
      const rest = run.events.slice(query.since);
      const cut = rest.findIndex((kept) => !belongs(utf8Bytes(kept.event.payload)));
      assertEqual(answer.events.length, cut === -1 ? rest.length : cut, "the number of events");
      assertEqual(answer.phaseAtSince, phaseAt(run, query.since), `the phase at ${query.since}`);
    }
  });
}

function getRunCommand(name: string): Command {
  return command("getRun", name, async (model, real) => {
    const run = model.runs.get(own(real, name));
    const actual = await real.store.getRun(own(real, name));
    if (run === undefined) assertEqual(actual, null, `the run ${name}`);
    else checkRecord(run, actual);
  });
}

function listCommand(
  input: Pick<ListQuery, "ownerId" | "runStatus"> & { readonly page: number },
): Command {
  return command("listRuns", input, async (model, real) => {
    const ownerId = own(real, input.ownerId);
    const { runStatus, page: limit } = input;
    const expected = [...model.runs.values()]
      .filter(({ record }) => record.ownerId === ownerId)
      .filter(({ record }) => runStatus === null || record.runStatus === runStatus)
      .toSorted((a, b) => b.record.ordinal - a.record.ordinal);
    let before: number | null = null;
    for (let from = 0; from <= expected.length; from += limit) {
      const runs = await real.store.listRuns({ ownerId, runStatus, before, limit });
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

function deleteCommand(input: {
  readonly runId: string;
  readonly ownerId: string | null;
}): Command {
  return command("deleteRun", input, async (model, real) => {
    const runId = own(real, input.runId);
    const ownerId = ownOrNull(real, input.ownerId);
    const record = visibleRun(model, runId, ownerId)?.record;
    const finished = record !== undefined && isTerminal(record.runStatus);
    const expected = record === undefined ? "not_found" : finished ? "deleted" : "active";
    assertEqual(await real.store.deleteRun(runId, ownerId), expected, "the outcome");
    if (finished) model.runs.delete(runId);
  });
}

function reopenCommand(): Command {
  return command("reopen", null, async (_model, real) => {
    real.store = await real.reopen();
  });
}
