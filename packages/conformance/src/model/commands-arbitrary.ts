import fc from "fast-check";
import { appendInputs, endInputs, owners } from "./append-arbitrary.ts";
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
import type { Age } from "./age.ts";
import {
  endDueCommand,
  listDueCommand,
  probeCommand,
  purgeCommand,
  tickCommand,
} from "./due-commands.ts";
import { claimCommand, releaseCommand, renewCommand } from "./lease-commands.ts";
import { leaveCommand, watchCommand } from "./watch-commands.ts";

/** Few names, batches and keys, so that they meet often. */
const ONE_RUN = fc.constantFrom("a", "a", "a", "b");
const ANY_RUN = fc.constantFrom("a", "b", "c");
/** A few more, so that two runs of one owner meet in a topic. */
const newIds = fc.constantFrom("a", "a", "b", "c");
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
  "live" as const,
);
const ages = fc.constantFrom<Age[]>("any", "any", "exact", "over", "long");
const REAPED = ["leased", "leased", "queued", "running", "waiting"] as const;
const DUE_KINDS = [...REAPED, "finished"] as const;
const reapAges = fc.constantFrom("any" as const, "any" as const, "long" as const);
const watches = fc.oneof(
  fc.record({ of: fc.constant("run" as const), name: newIds }),
  fc.record({ of: fc.constant("owner" as const), name: owners }),
);

/** Every command that a program may have. @param runIds which runs most of them are about */
function commandArbitraries(runIds: fc.Arbitrary<string>) {
  const length = fc.constantFrom("long" as const, "short" as const);
  const claimKey = fc.constantFrom("claim-1", "claim-1", "claim-2", null, null);
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
    ownerId: owners,
    fromHead: fc.integer({ min: -12, max: 2 }),
    limit: fc.integer({ min: 1, max: 12 }),
    maxBytes: fc.integer({ min: 1, max: 2_500 }),
  });
  const list = fc.record({
    ownerId: owners,
    runStatus: fc.option(statuses, { nil: null, freq: 2 }),
    topic: topics,
    page: fc.integer({ min: 1, max: 3 }),
  });
  const ofRun = (input: fc.Arbitrary<Omit<AppendInput, "runId">>): fc.Arbitrary<AppendInput> =>
    fc.tuple(runIds, input).map(([runId, one]) => ({ runId, ...one }));
  const append = ofRun(appendInputs);
  const leased = { runId: runIds, ownerId: owners };
  const step = fc.constantFrom(0, 0, 0, -1, 1);
  const limit = fc.constantFrom(1, 1, 2, 1_000);
  const aged = { runId: newIds, age: ages, limit };
  return {
    create: create.map(createCommand),
    append: fc.array(append, { minLength: 1, maxLength: 3 }).map(appendCommand),
    end: ofRun(endInputs).map((one) => appendCommand([one])),
    read: fc.array(query, { minLength: 1, maxLength: 3 }).map(readCommand),
    head: fc.record(leased).map(getRunCommand),
    list: list.map(listCommand),
    remove: fc.record(leased).map(deleteCommand),
    claim: fc.record({ ...leased, ...claimed }).map(claimCommand),
    renew: fc.record({ ...leased, length, step }).map(renewCommand),
    release: fc.record({ ...leased, step }).map(releaseCommand),
    due: fc.record({ ...aged, due: fc.constantFrom(...DUE_KINDS) }).map(listDueCommand),
    reap: fc
      .record({ ...leased, kind: fc.constantFrom(...REAPED), age: reapAges })
      .map(endDueCommand),
    purge: fc.record({ ...aged, limit: fc.integer({ min: 1, max: 3 }) }).map(purgeCommand),
    watch: watches.map(watchCommand),
    leave: fc.constant(leaveCommand()),
    tick: fc.constant(tickCommand()),
    probe: fc.constant(probeCommand()),
    reopen: fc.constant(reopenCommand()),
  };
}

type Kind = keyof ReturnType<typeof commandArbitraries>;

const LEASED: readonly Kind[] = ["renew", "release", "tick"];
const DUE: readonly Kind[] = ["due", "reap", "purge"];

/** The theme of a program: which runs it begins with and mostly asks for, which commands it has, and how often each. */
interface Theme {
  readonly weight: number;
  readonly begins: readonly string[];
  readonly runIds: fc.Arbitrary<string>;
  /** By how often each is drawn. */
  readonly kinds: Readonly<Record<number, readonly Kind[]>>;
}

/** Any commands, a run's leases, the lives of runs, what is due, or a run's log. Programs of few kinds come to states that one of all hardly reaches. */
const THEMES: readonly Theme[] = [
  {
    weight: 4,
    begins: ["a"],
    runIds: ONE_RUN,
    kinds: {
      4: ["append"],
      3: ["create", "read"],
      2: ["claim"],
      1: [...LEASED, ...DUE, "end", "head", "list", "remove", "watch", "leave", "probe", "reopen"],
    },
  },
  {
    weight: 2,
    begins: ["a"],
    runIds: ONE_RUN,
    kinds: {
      3: ["claim"],
      2: ["append", "renew", "create"],
      1: ["release", "head", "due", "tick", "reopen", "end", "remove"],
    },
  },
  {
    weight: 2,
    begins: ["a", "b", "c"],
    runIds: ONE_RUN,
    kinds: {
      3: ["create", "append"],
      2: ["end", "remove", "list", "read", "watch"],
      1: ["purge", "leave", "tick"],
    },
  },
  {
    weight: 2,
    begins: ["a", "b", "c"],
    runIds: ANY_RUN,
    kinds: {
      4: ["claim"],
      3: ["due"],
      2: ["end", "tick", "reap"],
      1: ["create", "append", "release", "purge"],
    },
  },
  {
    weight: 2,
    begins: ["a"],
    runIds: ONE_RUN,
    kinds: { 3: ["append"], 2: ["read"], 1: ["head", "reopen"] },
  },
];

/** The most commands of a program, after those that create the runs which most of them are about. */
const MOST_COMMANDS = 40;

/** Programs of all themes. */
export function programArbitrary(canReopen: boolean): fc.Arbitrary<readonly Command[]> {
  const programs = THEMES.map(({ weight, begins, runIds, kinds }) => {
    const all = commandArbitraries(runIds);
    const drawn = Object.entries(kinds).map(([times, named]) => {
      const possible = named.filter((kind) => canReopen || kind !== "reopen");
      const weighted = Number(times) * possible.length;
      return { weight: weighted, arbitrary: fc.oneof(...possible.map((kind) => all[kind])) };
    });
    const first = begins.map(firstCommand);
    // The default size would make programs too short to come to anything.
    const rest = fc.array(fc.oneof(...drawn), { maxLength: MOST_COMMANDS, size: "max" });
    return { weight, arbitrary: rest.map((program) => [...first, ...program]) };
  });
  // Where a notification takes some time, a program with many subscriptions takes long.
  const watched = fc.array(watches.map(watchCommand), { maxLength: 1 });
  return fc
    .tuple(spellCommand, watched, fc.oneof(...programs))
    .map(([spell, watching, program]) => [spell, ...watching, ...program]);
}

/** Creates a run that a program begins with. One has a topic, whose place is free once it has ended. */
function firstCommand(runId: string): Command {
  const topic = runId === "a" ? "tea" : null;
  const run = { runId, ownerId: "ada", metadata: "null", topic };
  return createCommand({ ...run, exclusive: false, claim: null });
}
