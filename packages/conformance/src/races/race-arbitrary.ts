import fc from "fast-check";
import { LISTED_OWNER, type Race, type RaceStep, RUN_IDS } from "./race.ts";
import * as steps from "./step-arbitrary.ts";

const { appends, conditional, create, end, input, ofAny, ofFirst, weighted } = steps;
const SIZE = { minLength: 1, size: "max" } as const;

/** The theme of a race. */
export interface Theme {
  /** Further steps of the first client, once the first run is there. */
  readonly begins: fc.Arbitrary<readonly RaceStep[]>;
  /** The steps of each client after that. */
  readonly step: fc.Arbitrary<RaceStep>;
}

/** Creates a run without anything else. */
export const plainly = (runId: string): RaceStep => ({
  call: "createRun",
  runId,
  ownerId: LISTED_OWNER,
  topic: null,
  exclusive: false,
  claim: null,
});
/** All runs are there. */
export const ALL_RUNS: fc.Arbitrary<readonly RaceStep[]> = fc.constant(
  RUN_IDS.slice(1).map(plainly),
);

const anyAppend = fc.oneof(
  { weight: 5, arbitrary: conditional },
  { weight: 3, arbitrary: end(["owner", "anybody", "worker"]) },
  { weight: 1, arbitrary: input() },
);

const anyStep = weighted(
  [4, create()],
  [6, appends(anyAppend, 2)],
  [2, steps.read],
  [3, steps.claim("long")],
  [2, steps.removal],
  [1, steps.ending],
  [1, steps.due],
  [1, steps.head],
  [1, steps.renewal],
  [1, steps.release],
  [2, steps.purge],
  [2, steps.list()],
  [1, steps.pause],
);

/** Ends the first run. */
export const CANCEL: RaceStep = {
  call: "append",
  requests: [
    { runId: "a", eventTypes: ["TOKEN", "RUN_CANCELLED"], key: "end", expected: null, by: "owner" },
  ],
};

/** Any calls. */
const ANYTHING: Theme = {
  begins: fc.array(weighted([3, anyStep], [1, steps.expiredClaim]), { maxLength: 4 }),
  step: anyStep,
};

/** Steps that end a run, remove it, and create it again under its id. */
const LIVES: Theme = {
  begins: fc.constant<readonly RaceStep[]>([CANCEL]),
  step: ofFirst(
    weighted(
      [4, steps.removal],
      [4, create()],
      [1, steps.purge],
      [1, appends(anyAppend)],
      [2, steps.read],
      [1, steps.head],
    ),
  ),
};

/** Steps that take the place of a topic, and that give it back. */
const PLACES: Theme = {
  begins: fc.constantFrom<(readonly RaceStep[])[]>([], [CANCEL]),
  step: ofAny(weighted([4, steps.place()], [3, appends(end(["owner"]))], [1, steps.head])),
};

/** Calls with several requests, of one run or of several. */
const MANY: Theme = {
  begins: ALL_RUNS,
  step: weighted([4, appends(anyAppend, 3)], [1, steps.head]),
};

/** The log of runs: appends that wait for one another's sequences, keys and fences, and pages. */
export const LOGS: Theme = {
  begins: fc.constant([plainly("b")]),
  step: weighted(
    [
      9,
      appends(
        fc.oneof(
          { weight: 6, arbitrary: conditional },
          { weight: 2, arbitrary: input("i") },
          { weight: 1, arbitrary: end(["owner"]) },
        ),
        3,
      ),
    ],
    [3, steps.read],
    [2, steps.head],
    [2, steps.claim("brief", "brief", "long")],
    [1, steps.renewal],
    [1, steps.release],
    [1, steps.pause],
  ),
};

/** Races of two or three clients about anything. */
export const raceArbitrary: fc.Arbitrary<Race> = fc.oneof(
  { weight: 3, arbitrary: raceOf(ANYTHING, [2, 3], 4) },
  { weight: 2, arbitrary: raceOf(LIVES, [2, 3], 4) },
  { weight: 1, arbitrary: raceOf(PLACES, [2, 3], 3) },
  { weight: 1, arbitrary: raceOf(MANY, [2, 3], 3) },
);

/** The steps of the first client. */
export function beginning({ begins }: Pick<Theme, "begins">): fc.Arbitrary<readonly RaceStep[]> {
  // The first run may have the place of its topic.
  const first = create({
    runId: fc.constant("a"),
    ownerId: fc.constant(LISTED_OWNER),
    exclusive: fc.boolean(),
    claim: fc.constant(null),
  });
  return fc.tuple(first, begins).map(([one, others]) => [one, ...others]);
}

/** A race about a theme. @param most of the steps of a client; as many as there are if `isFull` */
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
