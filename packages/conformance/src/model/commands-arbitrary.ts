import type { NewEvent } from "@tm/run-events-core/store";
import fc from "fast-check";
import { event } from "../append-request.ts";
import {
  appendCommand,
  type AppendInput,
  type Command,
  deleteCommand,
  getRunCommand,
  listCommand,
  readCommand,
  reopenCommand,
} from "./commands.ts";
import { spellCommand } from "./spelling.ts";
import { createCommand } from "./create-command.ts";
import {
  claimCommand,
  listExpiredCommand,
  listIdleCommand,
  purgeCommand,
  releaseCommand,
  renewCommand,
} from "./lease-commands.ts";

/** Few names, batches and keys, so that they meet often. */
const runIds = fc.constantFrom("a", "a", "a", "b");
/** A few more, so that two runs of one owner meet in a topic. */
const newIds = fc.constantFrom("a", "a", "b", "c");
const owners = fc.constantFrom("ada", "ada", "ada", "ada", "ada", "ada", "ada", "bob");
const anyOwner = fc.option(owners, { nil: null, freq: 2 });
const metadatas = fc.constantFrom("null", '{"b":1.0,"a":"\\u0000"}');
const topics = fc.option(fc.constantFrom("tea", "Tea"), { nil: null, freq: 2 });
const statuses = fc.constantFrom(
  "queued",
  "running",
  "waiting",
  "completed",
  "failed",
  "cancelled",
  "live" as const,
);
const batches: fc.Arbitrary<readonly NewEvent[]> = fc.constantFrom(
  [event("RUN_STARTED")],
  [event("TOKEN", "1.0")],
  [event("TOKEN", '"é\u{1f600}"'), event("TOKEN", "2"), event("TOKEN", "[]")],
  [event("PHASE_STARTED", '{"phase":"plan"}')],
  [event("TOKEN"), event("PHASE_STARTED", '{"phase":"\\u0000"}'), event("TOKEN")],
  [event("PHASE_STARTED", '{"phase":"a"}'), event("PHASE_STARTED", '{"phase":"b"}')],
  [event("TOKEN"), event("RUN_COMPLETED")],
  [event("RUN_CANCELLED")],
  [event("INPUT_REQUESTED", '"?"')],
  [event("TOKEN"), event("INPUT_REQUESTED"), event("PHASE_STARTED", '{"phase":"c"}')],
  Array.from({ length: 9 }, (_, at) =>
    event(at === 4 ? "PHASE_STARTED" : "TOKEN", `{"phase":"${at}"}`),
  ),
);

const conditions = {
  runId: runIds,
  ownerId: anyOwner,
  expected: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: fc.constant("head" as const) },
    { weight: 1, arbitrary: fc.nat(6) },
  ),
};
/** Appends that may land are frequent: nothing happens to a run that refuses all. */
const by = fc.oneof(
  { weight: 6, arbitrary: fc.constant("anybody" as const) },
  { weight: 4, arbitrary: fc.constant("worker" as const) },
  { weight: 2, arbitrary: fc.constantFrom("late" as const, "owner" as const, "reaper" as const) },
  { weight: 1, arbitrary: fc.constant("sweeper" as const) },
);
const key = fc.option(fc.constantFrom("k", "l"), { nil: null, freq: 2 });
const retried = { batch: fc.constant([event("TOKEN", "0"), event("TOKEN", "1")]), key };

/** Only an input has this event, and it has no other. */
const input = {
  batch: fc.constantFrom([event("INPUT_RECEIVED", "1")], [event("INPUT_RECEIVED", '"yes"')]),
  by: fc.constant("input" as const),
};

const appendInputs: fc.Arbitrary<AppendInput> = fc.oneof(
  fc.record({ ...conditions, ...input, key }),
  fc.record({ ...conditions, batch: batches, key, by }),
  // The same events again and again, so that keys come again with their own.
  fc.record({ ...conditions, ...retried, by }),
);

/** What a program draws from; what reopens only where the store can. */
function commandArbitraries(canReopen: boolean): fc.Arbitrary<Command>[] {
  const length = fc.constantFrom("long" as const, "short" as const);
  const claimKey = fc.option(fc.constantFrom("claim-1", "claim-2"), { nil: null, freq: 2 });
  const worker = fc.constantFrom(null, "w-1", "w-2");
  const claimed = { length, claimKey, worker };
  const create = fc.record({
    runId: newIds,
    ownerId: owners,
    metadata: metadatas,
    topic: topics,
    exclusive: fc.boolean(),
    claim: fc.option(fc.record(claimed), { nil: null, freq: 2 }),
  });
  const query = fc.record({
    runId: runIds,
    ownerId: anyOwner,
    fromHead: fc.integer({ min: -12, max: 2 }),
    limit: fc.integer({ min: 1, max: 12 }),
    maxBytes: fc.integer({ min: 1, max: 2_500 }),
    withTime: fc.boolean(),
  });
  const list = fc.record({
    ownerId: owners,
    runStatus: fc.option(statuses, { nil: null, freq: 2 }),
    topic: topics,
    page: fc.integer({ min: 1, max: 3 }),
    withMetadata: fc.boolean(),
  });
  const remove = fc.record({ runId: runIds, ownerId: anyOwner, ends: fc.boolean() });
  const leased = { runId: runIds, ownerId: anyOwner };
  const step = fc.constantFrom(0, 0, 0, -1, 1);
  const claim = fc.record({ ...leased, ...claimed });
  const renew = fc.record({ ...leased, length, step });
  const release = fc.record({ ...leased, step });
  const append = fc.array(appendInputs, { minLength: 1, maxLength: 3 }).map(appendCommand);
  const read = fc.array(query, { minLength: 1, maxLength: 3 }).map(readCommand);
  return [
    // More often what a program needs most.
    create.map(createCommand),
    create.map(createCommand),
    create.map(createCommand),
    append,
    append,
    append,
    append,
    read,
    read,
    runIds.map(getRunCommand),
    list.map(listCommand),
    remove.map(deleteCommand),
    claim.map(claimCommand),
    claim.map(claimCommand),
    renew.map(renewCommand),
    release.map(releaseCommand),
    fc.constant(listExpiredCommand()),
    fc.constantFrom("queued" as const, "running" as const, "waiting" as const).map(listIdleCommand),
    fc.integer({ min: 1, max: 3 }).map(purgeCommand),
    ...(canReopen ? [fc.constant(reopenCommand())] : []),
  ];
}

/** Programs of this many commands at the most, after one that creates the run which most of them are about. */
export function commandsArbitrary(
  canReopen: boolean,
  constraints: fc.CommandsContraints,
): fc.Arbitrary<Iterable<Command>> {
  const first = createCommand({
    runId: "a",
    ownerId: "ada",
    metadata: "null",
    topic: "tea",
    exclusive: false,
    claim: null,
  });
  return fc
    .tuple(spellCommand, fc.commands(commandArbitraries(canReopen), constraints))
    .map(([spell, program]) => putBefore([spell, first], program));
}

/** Prints, and is cloned for each run, as fast-check's own programs are. */
function putBefore(first: readonly Command[], program: Iterable<Command>): Iterable<Command> {
  return {
    *[Symbol.iterator]() {
      yield* first;
      yield* program;
    },
    toString: () => `${first.join(",")},${fc.stringify(program)}`,
    [fc.cloneMethod]: () => putBefore(first, fc.cloneIfNeeded(program)),
  } as Iterable<Command>;
}
