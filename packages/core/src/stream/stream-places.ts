/** The number of runs that the streams of a process may read for each stream that may be open. */
const RUNS_A_STREAM = 5;
/** The least value of that bound, however few streams may be open. */
const LEAST_RUNS = 1_000;
/** The part of these runs that one user's streams may read. On the smallest server it is room for two full streams with feeds. */
const SHARE_OF_A_USER = 1 / 4;

/** The streams that one user has open. */
interface Open {
  readonly streams: number;
  /** The number of runs that the streams read. */
  readonly runs: number;
}

const NOTHING: Open = { streams: 0, runs: 0 };

/**
 * The numbers of open streams, of all users and of each, and of the runs that they read.
 * @see clauses W28 and W47 in `WIRE.md` of `@tm/run-events-http`
 */
export class StreamPlaces {
  readonly #maxStreams: number;
  readonly #maxStreamsPerUser: number;
  readonly #maxRuns: number;
  readonly #perUser = new Map<string, Open>();
  #all = NOTHING;

  constructor(maxStreams: number, maxStreamsPerUser: number) {
    this.#maxStreams = maxStreams;
    this.#maxStreamsPerUser = maxStreamsPerUser;
    this.#maxRuns = Math.max(LEAST_RUNS, maxStreams * RUNS_A_STREAM);
  }

  /** Whether there is room for one more stream of the user, of this many runs. */
  hasRoom(ownerId: string, runs: number): boolean {
    const own = this.#perUser.get(ownerId) ?? NOTHING;
    return (
      this.#all.streams < this.#maxStreams &&
      this.#all.runs + runs <= this.#maxRuns &&
      own.streams < this.#maxStreamsPerUser &&
      own.runs + runs <= Math.floor(this.#maxRuns * SHARE_OF_A_USER)
    );
  }

  /** Counts a stream that opens, by 1, or that has ended, by -1. */
  count(ownerId: string, streams: 1 | -1, runs: number): void {
    const add = (open: Open): Open => ({
      streams: open.streams + streams,
      runs: open.runs + streams * runs,
    });
    this.#all = add(this.#all);
    const own = add(this.#perUser.get(ownerId) ?? NOTHING);
    if (own.streams === 0) this.#perUser.delete(ownerId);
    else this.#perUser.set(ownerId, own);
  }
}
