import type { CaseConditions } from "../build-cases.ts";
import { within } from "../within.ts";
import type { Fetch } from "./call.ts";
import { createCuttingFetch, type Cut } from "./cutting-fetch.ts";
import { type HttpDoors, type HttpTrial, runHttpTrial } from "./http-trial.ts";
import type { DeliveredEvent, Delivery } from "./judge-delivery.ts";

/** The run that a client has to follow, and how it gets there. */
export interface ReaderTarget {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The path of all runs on the server. @see clause W50 in `WIRE.md` of `@tm/run-events-http` */
  readonly basePath: string;
  readonly runId: string;
  /** The cursor: the last sequence that the client has. */
  readonly since: number;
  /** The owner's bearer token, for a reader that polls. */
  readonly token: string;
  /** The `Cookie` header of the owner's session. */
  readonly cookie: string;
  /** Send every request through this: it breaks connections. */
  readonly fetch: typeof globalThis.fetch;
  /** Aborted when the client has to leave the run. */
  readonly signal: AbortSignal;
}

/**
 * Follows a run as an async iterable of its events after `since`. The iteration ends when the run ends. The client reconnects by
 * itself when a connection breaks, and the iteration rejects when it must not reconnect.
 */
export type Follow = (target: ReaderTarget) => AsyncIterable<DeliveredEvent>;

/** The server and the client of one case. Every reader that it starts is aborted after it. */
export interface ReaderTrial extends HttpTrial {
  /** Starts a reader and returns what it hands over, one by one. */
  start(runId: string, since: number, cuts?: readonly Cut[]): Reading;
  /** Follows a run to its end, or up to `most` events, and collects. */
  collect(runId: string, since: number, most: number, cuts?: readonly Cut[]): Promise<Delivery>;
}

/** A reader that has been started. */
interface Reading {
  /**
   * Its next item; `end` when the iteration ends.
   * @throws Error if nothing comes, or what it throws
   */
  next(): Promise<Delivery[number]>;
  /** Aborts its signal. */
  leave(): void;
}

/** One case before it knows its reader. The name starts with the clause. */
export interface ReaderTrialCase {
  readonly name: string;
  readonly run: (trial: ReaderTrial) => Promise<void>;
}

/** Bounds a hang, not the speed of a reader. */
const PATIENCE_MS = 5_000;

/** Signs in and runs one body. */
export async function runReaderTrial(
  doors: HttpDoors & { readonly follow: Follow; readonly patienceMs?: number },
  body: (trial: ReaderTrial) => Promise<void>,
  conditions: CaseConditions,
): Promise<void> {
  const { patienceMs = PATIENCE_MS } = doors;
  const readings = new Set<Reading>();
  const fetch: Fetch = doors.fetch ?? ((request) => globalThis.fetch(request));
  async function runBody(trial: HttpTrial): Promise<void> {
    function start(runId: string, since: number, cuts: readonly Cut[] = []): Reading {
      const leaving = new AbortController();
      const target = {
        baseUrl: trial.baseUrl,
        basePath: trial.basePath,
        runId,
        since,
        token: doors.tokens[0],
        cookie: trial.owner.session["cookie"] ?? "",
        fetch: createCuttingFetch(fetch, cuts),
        signal: leaving.signal,
      };
      const iterator = doors.follow(target)[Symbol.asyncIterator]();
      const reading: Reading = {
        async next() {
          const what = `the reader's next event of ${runId}, or its end,`;
          const result = await within(patienceMs, iterator.next(), what);
          return result.done === true ? "end" : result.value;
        },
        leave() {
          leaving.abort();
          // The rest of it does not matter.
          iterator.return?.()?.catch(() => {});
        },
      };
      readings.add(reading);
      return reading;
    }

    try {
      await body({
        ...trial,
        start,
        async collect(runId, since, most, cuts) {
          const reading = start(runId, since, cuts);
          const got: Delivery[number][] = [];
          // One more than it is owed shows that it goes on.
          while (got.length <= most + 1 && got.at(-1) !== "end") got.push(await reading.next());
          reading.leave();
          readings.delete(reading);
          return got;
        },
      });
    } finally {
      for (const reading of readings) reading.leave();
    }
  }

  await runHttpTrial(doors, runBody, conditions);
}
