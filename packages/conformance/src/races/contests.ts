import { LOGS, type Theme } from "./race-arbitrary.ts";
import { BATCHES, CONTENDED, PLAIN, SEEN, STARTS } from "./themes.ts";

/** Clients that race for one thing. */
export interface Contest {
  readonly clause: string;
  readonly what: string;
  readonly theme: Theme;
  /** The number of steps that each client makes on the same runs, where time does not matter. */
  readonly length: number;
}

/** One for each clause about runs that many clients use. Every answer is compared with the model. */
export const CONTESTS: readonly Contest[] = [
  {
    clause: "S1",
    what: "sequences have no gap and no repeat when clients append at once",
    theme: PLAIN,
    length: 20,
  },
  {
    clause: "S2",
    what: "others see a batch whole, with its status and phase",
    theme: BATCHES,
    length: 20,
  },
  {
    clause: "S4",
    what: "one order of the calls explains every answer of programs that run at once",
    theme: LOGS,
    length: 8,
  },
  {
    clause: "S5",
    what: "one client wins each sequence, each key, the lease and the end of a run",
    theme: CONTENDED,
    length: 8,
  },
  {
    clause: "S21",
    what: "one client at a time has a live exclusive run of a topic, under its lease from its creation on",
    theme: STARTS,
    length: 12,
  },
  {
    clause: "S10",
    what: "a read sees every append that any client got acknowledged before it",
    theme: SEEN,
    length: 20,
  },
];
