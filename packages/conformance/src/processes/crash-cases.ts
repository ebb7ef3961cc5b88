import { type Crash, playCrash } from "./play-crash.ts";
import { amidCalls, progressOf } from "./load.ts";
import { DIALOGUES, KEYED, PLAIN, STARTS, type Theme, UPKEEP } from "../races/themes.ts";
import type { ProcessCase } from "./process-case.ts";

/** Functions that crash a store's server, or its machine, and start it again. */
export interface CrashHooks {
  /** Kills the server without a chance to tidy up. Called during appends. Returns or resolves when the server is dead. */
  kill(): void | Promise<void>;
  /** Starts the server again on the same data. Returns or resolves when it takes connections. */
  restart(): void | Promise<void>;
}

/** The work of processes that crash, and the promises that hold then. Every answer, before and after, is compared with the model. */
const CALLS: readonly (readonly [clause: string, during: string, what: string, theme: Theme])[] = [
  [
    "S6",
    "appends",
    "acknowledged batches are there, and each other batch is there once or not at all",
    PLAIN,
  ],
  ["S7", "appends", "one sent again under its key lands once, and keeps its receipt", KEYED],
  [
    "S5",
    "questions and answers",
    "each is in the log once, and none of an older fence lands",
    DIALOGUES,
  ],
  [
    "S21",
    "creations",
    "the place of a topic is free or one run has it, and each run has the lease of its creation",
    STARTS,
  ],
  [
    "S23",
    "upkeep",
    "each run is found when its lease has expired or was released, and is ended once",
    UPKEEP,
  ],
];

const ONE_BY_ONE: Crash = {
  async strike(loads, draws) {
    let left = loads;
    while (left.length > 1) {
      await amidCalls(left, draws);
      const [victim, ...others] = left;
      await victim?.worker.kill();
      await progressOf(others);
      left = others;
    }
    return left;
  },
  isOfServer: false,
};

const ALL_AT_ONCE: Crash = {
  async strike(loads, draws) {
    await amidCalls(loads, draws);
    await Promise.all(loads.map(({ worker }) => worker.kill()));
    return [];
  },
  isOfServer: false,
};

function serverCrash({ kill, restart }: CrashHooks): Crash {
  return {
    async strike(loads, draws) {
      await amidCalls(loads, draws);
      await kill();
      await restart();
      return loads;
    },
    isOfServer: true,
  };
}

/** @param hooks null for a store without a server: then the processes are all that can crash */
export function crashCases(hooks: CrashHooks | null): readonly ProcessCase[] {
  return [
    ...casesOf("one process after the other was killed", ONE_BY_ONE),
    ...casesOf("all processes were killed at once", ALL_AT_ONCE),
    ...(hooks === null ? [] : casesOf("the server crashed", serverCrash(hooks))),
  ];
}

function casesOf(crashed: string, crash: Crash): readonly ProcessCase[] {
  return CALLS.map(([clause, during, what, theme]) => ({
    name: `${clause} after ${crashed} during ${during}, ${what}`,
    run: (trial) => playCrash(trial, crash, clause, theme),
  }));
}
