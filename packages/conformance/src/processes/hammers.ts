import fc from "fast-check";
import {
  endAppend,
  leaseStep,
  PROGRAM_RUNS,
  startStep,
  type Step,
  stepArbitrary,
} from "../concurrent/program.ts";

/** What all processes do at once, round after round, each time on new runs. */
export interface Hammer {
  /** A sentence that starts with the clause. */
  readonly name: string;
  /** How many steps each process makes in a round. */
  readonly length: number;
  readonly step: fc.Arbitrary<Step>;
}

const run = fc.nat(PROGRAM_RUNS - 1);
const TOKENS = ["TOKEN", "TOKEN", "TOKEN", "TOKEN"] as const;

function appendOf(events: fc.Arbitrary<readonly string[]>, mostRequests = 1): fc.Arbitrary<Step> {
  const plain = {
    key: fc.constant(null),
    expected: fc.constant(null),
    by: fc.constant("anybody" as const),
  };
  const planned = fc.record({ run, events, ...plain });
  return fc.record({
    call: fc.constant("append" as const),
    requests: fc.array(planned, { minLength: 1, maxLength: mostRequests }),
  });
}

const tokens = fc.integer({ min: 1, max: 3 }).map((count) => TOKENS.slice(0, count));
const batch = fc.constantFrom<readonly string[]>(
  TOKENS,
  ["TOKEN", "PHASE_STARTED", "TOKEN"],
  ["PHASE_STARTED", "TOKEN", "PHASE_STARTED"],
);
const head: fc.Arbitrary<Step> = fc.record({ call: fc.constant("head" as const), run });
const nextPage: fc.Arbitrary<Step> = fc.record({
  call: fc.constant("read" as const),
  run,
  from: fc.constant("seen" as const),
  limit: fc.constant(1_000),
});
const anyPage: fc.Arbitrary<Step> = fc.record({
  call: fc.constant("read" as const),
  run,
  from: fc.constantFrom("start" as const, "seen" as const),
  limit: fc.constantFrom(1, 3, 7, 1_000),
});
/** Who wins a sequence, a key, the end. */
const contended: fc.Arbitrary<Step> = fc
  .record({
    run: fc.constant(0),
    key: fc.constantFrom("k", "l", "end", null),
    expected: fc.constantFrom("seen" as const, null),
    own: fc.boolean(),
  })
  .map(({ own, ...conditions }) => ({
    call: "append",
    requests: [{ ...conditions, by: "anybody", events: eventsUnder(conditions.key, own) }],
  }));

function eventsUnder(key: string | null, own: boolean): readonly string[] {
  if (key === "k") return own ? ["TOKEN"] : ["TOKEN", "TOKEN"];
  if (key === "l") return ["TOKEN", "PHASE_STARTED", "TOKEN"];
  return key === "end" ? ["TOKEN", "RUN_COMPLETED"] : ["TOKEN"];
}

/** Under the fence that the process was given last, or none. */
const leasedAppend: fc.Arbitrary<Step> = fc
  .record({ run: fc.constantFrom(0, 0, 0, 1), events: tokens })
  .map((planned) => ({
    call: "append",
    requests: [{ ...planned, key: null, expected: null, by: "worker" }],
  }));

const sweepStep: fc.Arbitrary<Step> = endAppend(fc.constantFrom(0, 0, 0, 1)).map((end) => ({
  call: "append",
  requests: [end],
}));

/** One for each clause about runs that many append to and read. Every history is held against all of them. */
export const HAMMERS: readonly Hammer[] = [
  {
    name: "S1 sequences have no gap and no repeat when processes append at once",
    length: 40,
    step: appendOf(tokens, 3),
  },
  {
    name: "S2 other processes see a batch whole, with its status and phase",
    length: 40,
    step: fc.oneof(appendOf(batch), head, nextPage),
  },
  {
    name: "S1 events that one process has seen stay for all, and no new event comes before them",
    length: 40,
    step: fc.oneof(appendOf(tokens), nextPage, nextPage),
  },
  {
    name: "S4 one order of the appends explains every answer of programs that processes run at once",
    length: 8,
    step: stepArbitrary,
  },
  {
    name: "S5 one process wins each sequence, each key and the end of a run",
    length: 6,
    step: fc.oneof({ weight: 4, arbitrary: contended }, { weight: 1, arbitrary: head }),
  },
  {
    name: "S5 one process at a time works on a run, and no append under an older fence lands",
    length: 30,
    step: fc.oneof(leaseStep, leasedAppend, leasedAppend),
  },
  {
    name: "S21 one process at a time has a live exclusive run of a topic, under its lease from its creation on",
    length: 12,
    step: startStep,
  },
  {
    name: "S23 a run that no worker works on is ended by one process, and never one that a worker has",
    length: 10,
    step: fc.oneof(
      { weight: 4, arbitrary: leaseStep },
      { weight: 4, arbitrary: leasedAppend },
      { weight: 1, arbitrary: sweepStep },
    ),
  },
  {
    name: "S9 a page is one instant of the log while other processes append",
    length: 40,
    step: fc.oneof(appendOf(batch), anyPage, anyPage),
  },
  {
    name: "S10 a read sees every append that any process got acknowledged before it",
    length: 40,
    step: fc.oneof(appendOf(tokens), head, head, nextPage),
  },
];
