import fc from "fast-check";
import { LISTED_OWNER, type Race, type RaceAppend, type RaceStep, RUN_IDS } from "./race.ts";
import * as steps from "./steps.ts";

const { about, appends, conditional, drawn, is, request, runId, stepOf } = steps;

const SIZE = { minLength: 1, size: "max" } as const;

const plain = request({ eventTypes: fc.constantFrom(["TOKEN"], ["TOKEN", "TOKEN"]) });
/** Whole batches, some of which change the phase or the status. */
const eventTypes: fc.Arbitrary<readonly string[]> = fc.constantFrom(
  ["TOKEN"],
  ["TOKEN", "TOKEN", "TOKEN"],
  ["PHASE_STARTED"],
  ["TOKEN", "PHASE_STARTED", "TOKEN"],
  ["INPUT_REQUESTED"],
  ["TOKEN", "INPUT_REQUESTED"],
);
const working = request({
  eventTypes: fc.constantFrom(["TOKEN"], ["INPUT_REQUESTED", "TOKEN"], ["INPUT_REQUESTED"]),
  by: is("worker"),
  key: fc.constantFrom(null, "own"),
});
const input = (key: RaceAppend["key"]): fc.Arbitrary<RaceAppend> =>
  request({ eventTypes: is(["INPUT_RECEIVED"]), by: is("input"), key: is(key) });
const end = request({
  eventTypes: fc.constantFrom(["RUN_CANCELLED"], ["TOKEN", "RUN_FAILED"]),
  by: fc.constantFrom("owner", "owner", "worker", "anybody"),
});
const anything = fc.oneof(
  { weight: 8, arbitrary: conditional({ eventTypes }) },
  { weight: 2, arbitrary: input("i") },
  { weight: 1, arbitrary: end },
);

const common = steps.commonSteps(["brief", "brief", "long"], fc.constantFrom(null, "c", "own"));

/** The steps of races, by kind. */
const STEPS = {
  ...common,
  /** Creates a run of the owner whose runs the crashes look for, without a claim. */
  own: common.create.map(
    (step) => ({ ...about({ ownerId: LISTED_OWNER }, step), claim: null }) as RaceStep,
  ),
  /** Claims a run for a moment. */
  brief: common.claim.map((step) => ({ ...step, length: "brief" }) as RaceStep),
  /** Creates an exclusive run of the topic, mostly with a claim. */
  place: stepOf("createRun", {
    runId,
    topic: is("tea"),
    exclusive: is(true),
    claim: fc.constantFrom(
      { claimKey: "own", length: "long" },
      { claimKey: "own", length: "long" },
      { claimKey: "own", length: "brief" },
      null,
    ),
  }),
  append: appends(anything, 3),
  one: appends(conditional({ eventTypes })),
  plain: appends(plain, 3),
  batch: appends(request({ eventTypes })),
  /** Appends that may be sent again, under keys of their own. */
  keyed: appends(request({ eventTypes, key: is("own") })),
  work: appends(working),
  answer: appends(input("own")),
  end: appends(end),
  /** A pause. One of 0 turns ends in the next turn of the event loop. */
  pause: stepOf("pause", { turns: fc.oneof(is(0), fc.nat(20)) }),
};

/** The subject of a race. */
export interface Theme {
  /** Further steps of the first client, once the first run is there. */
  readonly begins: fc.Arbitrary<readonly RaceStep[]>;
  /** The steps of each client after that. */
  readonly step: fc.Arbitrary<RaceStep>;
}

type Kinds = steps.Weights<keyof typeof STEPS>;

/** Creates a run without anything else. */
export const plainly = (runId: string): RaceStep => ({
  call: "createRun",
  runId,
  ownerId: LISTED_OWNER,
  topic: null,
  exclusive: false,
  claim: null,
});
/** Ends the first run. */
export const CANCEL: RaceStep = {
  call: "append",
  requests: [
    { runId: "a", eventTypes: ["TOKEN", "RUN_CANCELLED"], key: "end", expected: null, by: "owner" },
  ],
};
/** A claim whose lease is over before the others begin. */
const EXPIRED: RaceStep = { call: "claim", runId: "a", claimKey: null, length: "short" };
const ALL_RUNS = RUN_IDS.slice(1).map(plainly);

/** A theme whose steps are mostly about the first run. */
const ofMostlyFirst = (begins: readonly RaceStep[], kinds: Kinds): Theme => ({
  begins: is(begins),
  step: drawn(STEPS, kinds),
});
/** A theme whose steps are about any of these runs, each as likely. */
const ofEach = (runIds: readonly string[], begins: readonly RaceStep[], kinds: Kinds): Theme => ({
  begins: is(begins),
  step: fc
    .tuple(fc.constantFrom(...runIds), drawn(STEPS, kinds))
    .map(([runId, step]) => about({ runId }, step)),
});

/** Appends without conditions: each lands. */
export const PLAIN: Theme = ofMostlyFirst(ALL_RUNS, { 3: ["plain"], 1: ["read", "head"] });
/** Batches, which others have to see whole, and at once. */
const BATCHES = ofEach(["a"], ALL_RUNS, { 2: ["head"], 1: ["batch", "read"] });
/** Appends that may be sent again. */
export const KEYED: Theme = ofMostlyFirst(ALL_RUNS, { 4: ["keyed"], 1: ["read"] });
/** Races for a sequence, a key, the end, the lease. */
const CONTENDED = ofMostlyFirst(ALL_RUNS, {
  4: ["one"],
  2: ["claim"],
  1: ["end", "renew", "release", "head"],
});
/** The log of runs: appends that wait for one another's sequences, keys and fences, and pages. */
const LOGS = ofMostlyFirst([plainly("b")], {
  9: ["append"],
  3: ["read"],
  2: ["head", "claim"],
  1: ["renew", "release", "pause"],
});
/** Exclusive runs of one topic with a claim, and what becomes of them. */
export const STARTS: Theme = ofEach(RUN_IDS, [], {
  4: ["place"],
  2: ["work", "end", "remove"],
  1: ["head", "list"],
});
/** Workers that ask under their fences and give the run back, and persons who answer. */
export const DIALOGUES: Theme = ofEach(RUN_IDS, ALL_RUNS, {
  7: ["work"],
  5: ["answer"],
  3: ["claim"],
  1: ["renew", "release", "read", "head"],
});
/** Runs that workers leave or give back, and processes that look for them. */
export const UPKEEP: Theme = ofEach(RUN_IDS, ALL_RUNS, {
  8: ["release"],
  // A run that has ended waits for nothing until it is removed, and created again.
  4: ["remove", "own", "head"],
  3: ["due"],
  2: ["work", "brief"],
  1: ["reap"],
});
/** Runs that end, are removed, and are created again under their ids. */
const LIVES = ofEach(["a"], [CANCEL], {
  4: ["remove", "create"],
  2: ["read"],
  1: ["purge", "append", "end", "head"],
});
/** Any calls. */
const ANYTHING: Theme = {
  ...ofMostlyFirst([], {
    6: ["append"],
    4: ["create"],
    3: ["claim", "end"],
    2: ["read", "remove", "purge", "list"],
    1: ["reap", "due", "head", "renew", "release", "pause"],
  }),
  begins: fc.subarray([...ALL_RUNS, EXPIRED, CANCEL]),
};

/** Clients that race for one thing. */
export interface Contest {
  /** Begins with the clause. */
  readonly name: string;
  readonly clause: string;
  readonly theme: Theme;
  /** The number of steps that each client makes on the same runs, where time does not matter. */
  readonly length: number;
}
const contest = (name: string, theme: Theme, length: number): Contest => ({
  name,
  clause: name.slice(0, name.indexOf(" ")),
  theme,
  length,
});

/** One for each clause about runs that many clients use. Every answer is compared with the model. */
export const CONTESTS: readonly Contest[] = [
  contest("S1 sequences have no gap and no repeat when clients append at once", PLAIN, 20),
  contest("S2 others see a batch whole, with its status and phase", BATCHES, 20),
  contest("S4 one order of the calls explains every answer of programs that run at once", LOGS, 8),
  contest(
    "S5 one client wins each sequence, each key, the lease and the end of a run",
    CONTENDED,
    8,
  ),
  contest(
    "S21 one client at a time has a live exclusive run of a topic, under its lease from its creation on",
    STARTS,
    12,
  ),
  contest("S10 a read sees every append that any client got acknowledged before it", BATCHES, 20),
];

/** A contest for processes, which may each count ordinals for themselves: who creates what, and when. */
export const CREATIONS: Contest = contest(
  "S16 runs that processes create at once are created once, each with its own ordinal",
  ofEach(RUN_IDS, [], { 4: ["create"], 2: ["end", "remove"], 1: ["head"] }),
  8,
);

/** Races of two or three clients about anything. */
export const raceArbitrary: fc.Arbitrary<Race> = fc.oneof(
  { weight: 4, arbitrary: raceOf(ANYTHING, [2, 3], 4) },
  { weight: 2, arbitrary: raceOf(LIVES, [2, 3], 4) },
  { weight: 1, arbitrary: raceOf(STARTS, [2, 3], 3) },
);

/** The steps of the first client. */
export function beginning({ begins }: Pick<Theme, "begins">): fc.Arbitrary<readonly RaceStep[]> {
  // The first run may have the place of its topic.
  const first = stepOf("createRun", {
    runId: is("a"),
    topic: steps.topic,
    exclusive: fc.boolean(),
    claim: is(null),
  });
  return fc.tuple(first, begins).map(([one, others]) => [one, ...others]);
}

/** A race about a theme. @param most the most steps of a client, or their exact number if `isFull` */
export function raceOf(
  theme: Theme,
  [minLength, maxLength]: readonly [number, number],
  most: number,
  isFull = false,
): fc.Arbitrary<Race> {
  const length = { ...SIZE, maxLength: most, ...(isFull && { minLength: most }) };
  return fc.record({
    prefix: beginning(theme),
    branches: fc.array(fc.array(theme.step, length), { minLength, maxLength }),
  });
}
