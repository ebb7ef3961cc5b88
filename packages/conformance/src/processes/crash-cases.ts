import { playAskingCrash } from "./asking-crash.ts";
import { type Crash, playCrash, playLeasedCrash } from "./crash-play.ts";
import { amidCalls, progressOf } from "./loads.ts";
import type { ProcessCase } from "./process-case.ts";
import { playStartingCrash } from "./starting-crash.ts";
import { playUpkeepCrash } from "./upkeep-crash.ts";

/** Functions that crash a store's server, or its machine, and start it again. */
export interface CrashHooks {
  /** Kills the server without a chance to tidy up. Called during appends. Returns or resolves when the server is dead. */
  kill(): void | Promise<void>;
  /** Starts the server again on the same data. Returns or resolves when it takes connections. */
  restart(): void | Promise<void>;
}

const ONE_BY_ONE: Crash = {
  async strike(loads, { ledger, draws }) {
    let left = loads;
    while (left.length > 1) {
      await amidCalls(left, ledger, draws);
      const [victim, ...others] = left;
      await victim?.worker.kill();
      await progressOf(others, ledger);
      left = others;
    }
    return left;
  },
  mayFail: false,
};

const ALL_AT_ONCE: Crash = {
  async strike(loads, { ledger, draws }) {
    await amidCalls(loads, ledger, draws);
    await Promise.all(loads.map(({ worker }) => worker.kill()));
    return [];
  },
  mayFail: false,
};

function serverCrash({ kill, restart }: CrashHooks): Crash {
  return {
    async strike(loads, { ledger, draws }) {
      await amidCalls(loads, ledger, draws);
      await kill();
      await restart();
      return loads;
    },
    mayFail: true,
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

function casesOf(what: string, crash: Crash): readonly ProcessCase[] {
  return [
    {
      name: `S6 after ${what} during appends, acknowledged batches are there, and each other batch is there once or not at all`,
      run: (trial) => playCrash(trial, crash, { sendsAgain: false }),
    },
    {
      name: `S7 after ${what} during appends, one sent again under its key lands once, and keeps its receipt`,
      run: (trial) => playCrash(trial, crash, { sendsAgain: true }),
    },
    {
      name: `S5 after ${what} during claims, each fence is higher than those before, and no append under an older one lands`,
      run: (trial) => playLeasedCrash(trial, crash),
    },
    {
      name: `S21 after ${what} during creations, the place of a topic is free, or one run that exists has it`,
      run: (trial) => playStartingCrash(trial, crash, "places"),
    },
    {
      name: `S21 after ${what} during creations, each run has its lease, and a creation sent again under its key gets the same run`,
      run: (trial) => playStartingCrash(trial, crash, "again"),
    },
    {
      name: `S5 after ${what} between questions and answers, each is in the log once, and a run waits while it has no answer`,
      run: (trial) => playAskingCrash(trial, crash),
    },
    {
      name: `S23 after ${what} during upkeep, each run is found when its lease has expired or was released, and is ended once`,
      run: (trial) => playUpkeepCrash(trial, crash),
    },
    // After a server has started again, a store may let readers start over, which may leave out runs that have ended.
  ];
}
