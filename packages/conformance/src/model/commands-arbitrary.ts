import type { NewEvent } from "@tm/run-events-core/store";
import fc from "fast-check";
import { event } from "../append-request.ts";
import {
  appendCommand,
  type AppendInput,
  changedCommand,
  type Command,
  deleteCommand,
  getRunCommand,
  listCommand,
  readCommand,
  reopenCommand,
} from "./commands.ts";
import { spellCommand } from "./spelling.ts";
import { createCommand } from "./create-command.ts";
import type { Age } from "./age.ts";
import {
  listExpiredCommand,
  listIdleCommand,
  probeCommand,
  purgeCommand,
  tickCommand,
} from "./due-commands.ts";
import { claimCommand, releaseCommand, renewCommand } from "./lease-commands.ts";
import { leaveCommand, watchCommand } from "./watch-commands.ts";

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
  [event("TOKEN", ' {"a" : 1e400, "a":-0.0}'), event("TOKEN", '"\\ud800\u2028"')],
  [event("TOKEN", `"${"é".repeat(35_000)}"`)],
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
const LIVE = ["queued", "running", "waiting"] as const;
const ages = fc.constantFrom<Age[]>("any", "any", "exact", "over", "long");
/** What an append is answered may not depend on how long it takes. */
const due = {
  age: fc.constantFrom<Age[]>("any", "any", "exact", "long"),
  sweeps: fc.constantFrom("running" as const, ...LIVE),
};
const key = fc.option(fc.constantFrom("k", "l"), { nil: null, freq: 2 });
/** Batches that a store may take for the same under a key. */
const likeBatches: fc.Arbitrary<readonly NewEvent[]> = fc.constantFrom(
  [event("TOKEN", "0"), event("TOKEN", "1")],
  // Mostly the same, which is a replay.
  [event("TOKEN", "0"), event("TOKEN", "1")],
  [event("TOKEN", "0"), event("TOKEN", "1")],
  [event("TOKEN", "0"), event("TOKEN", "1"), event("TOKEN", "2")],
  [event("TOKEN", "0"), event("TOKEN", "3"), event("TOKEN", "2")],
  [event("TOKEN", "0"), event("OTHER", "1")],
  [event("TOKEN", "10")],
  [event("TOKEN1", "0")],
  [event("TOKEN", `"${"x".repeat(5_000)}"`)],
  [event("TOKEN", `"${"x".repeat(4_999)}y"`)],
);
const retried = { batch: likeBatches, key };

/** Only an input has this event, and it has no other. */
const input = {
  batch: fc.constantFrom([event("INPUT_RECEIVED", "1")], [event("INPUT_RECEIVED", '"yes"')]),
  by: fc.constant("input" as const),
};

const appendInputs: fc.Arbitrary<AppendInput> = fc.oneof(
  fc.record({ ...conditions, ...due, ...input, key }),
  fc.record({ ...conditions, ...due, batch: batches, key, by }),
  // The same events again and again, so that keys come again with their own.
  fc.record({ ...conditions, ...due, ...retried, by }),
);

const watches = fc.oneof(
  fc.record({ of: fc.constant("run" as const), name: newIds }),
  fc.record({ of: fc.constant("owner" as const), name: owners }),
);

/** Every command that a program may have. */
function commandArbitraries() {
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
  });
  const remove = fc.record({ runId: runIds, ownerId: anyOwner, ends: fc.boolean() });
  const leased = { runId: runIds, ownerId: anyOwner };
  const step = fc.constantFrom(0, 0, 0, -1, 1);
  const limit = fc.constantFrom(1, 2, 3, 1_000);
  const aged = { runId: newIds, age: ages, limit };
  return {
    create: create.map(createCommand),
    append: fc.array(appendInputs, { minLength: 1, maxLength: 3 }).map(appendCommand),
    read: fc.array(query, { minLength: 1, maxLength: 3 }).map(readCommand),
    head: runIds.map(getRunCommand),
    list: list.map(listCommand),
    changed: fc.record({ ownerId: owners, topic: topics }).map(changedCommand),
    remove: remove.map(deleteCommand),
    claim: fc.record({ ...leased, ...claimed }).map(claimCommand),
    renew: fc.record({ ...leased, length, step }).map(renewCommand),
    release: fc.record({ ...leased, step }).map(releaseCommand),
    expired: fc.record(aged).map(listExpiredCommand),
    idle: fc.record({ ...aged, runStatus: fc.constantFrom(...LIVE) }).map(listIdleCommand),
    purge: fc.record({ ...aged, limit: fc.integer({ min: 1, max: 3 }) }).map(purgeCommand),
    watch: watches.map(watchCommand),
    leave: fc.constant(leaveCommand()),
    tick: fc.constant(tickCommand()),
    probe: fc.constant(probeCommand()),
    reopen: fc.constant(reopenCommand()),
  };
}

type Kind = keyof ReturnType<typeof commandArbitraries>;

/** What a program is about: which commands it has, and how often each. */
interface Theme {
  readonly weight: number;
  readonly kinds: Readonly<Partial<Record<Kind, number>>>;
}

/** Any commands, a run's leases, the lives of runs, or a run's log. Programs of few kinds come to states that one of all hardly reaches. */
const THEMES: readonly Theme[] = [
  {
    weight: 4,
    kinds: {
      ...{ create: 3, append: 4, read: 2, head: 1, list: 1, changed: 1, remove: 1, purge: 1 },
      ...{ claim: 2, renew: 1, release: 1, expired: 1, idle: 1 },
      ...{ watch: 1, leave: 1, tick: 1, probe: 1, reopen: 1 },
    },
  },
  {
    weight: 2,
    kinds: { append: 2, claim: 2, renew: 2, release: 1, head: 1, expired: 1, tick: 2, reopen: 1 },
  },
  {
    weight: 2,
    kinds: {
      ...{ create: 2, append: 1, remove: 2, purge: 1, list: 2, read: 1, idle: 1, claim: 1 },
      ...{ watch: 1, leave: 1, tick: 1 },
    },
  },
  { weight: 1, kinds: { append: 3, read: 1, head: 1, reopen: 1 } },
];

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
  const all = commandArbitraries();
  const programs = THEMES.map(({ weight, kinds }) => {
    const drawn = Object.entries(kinds).flatMap(([kind, times]) => {
      const isPossible = canReopen || kind !== "reopen";
      return Array.from({ length: isPossible ? times : 0 }, () => all[kind as Kind]);
    });
    return { weight, arbitrary: fc.commands(drawn, constraints) };
  });
  // Where a notification takes some time, a program with many subscriptions takes long.
  const watched = fc.array(watches.map(watchCommand), { maxLength: 1 });
  return fc
    .tuple(spellCommand, watched, fc.oneof(...programs))
    .map(([spell, watching, program]) => putBefore([spell, ...watching, first], program));
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
