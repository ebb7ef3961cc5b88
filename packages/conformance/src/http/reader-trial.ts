import type { CaseConditions } from "../build-cases.ts";
import { within } from "../within.ts";
import { createCuttingFetch, type Cut } from "./cutting-fetch.ts";
import { type HttpDoors, type HttpTrial, runHttpTrial } from "./http-trial.ts";
import type { DeliveredEvent, Delivery } from "./judge-delivery.ts";
import type { WireRun } from "./wire-run.ts";

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

/** The server and the client of one case. Every reader that it starts is left after it. */
export interface ReaderTrial extends HttpTrial {
  /** Starts a reader, whose first answers are cut. */
  start(run: WireRun, since: number, cuts?: readonly Cut[]): Reading;
}

/** A reader that has been started. */
interface Reading {
  /**
   * Its next item; `end` when the iteration ends.
   * @throws Error if nothing comes, or what it throws
   */
  next(): Promise<Delivery[number]>;
  /** Aborts its signal. Idempotent. */
  leave(): void;
}

/** Cases for any reader, by their names, which start with the clause. */
export type ReaderCases = Readonly<Record<string, (trial: ReaderTrial) => Promise<void>>>;

/** Bounds a hang, not the speed of a reader. */
const PATIENCE_MS = 5_000;

/** Signs in and runs one body. */
export async function runReaderTrial(
  doors: HttpDoors & { readonly follow: Follow; readonly patienceMs?: number },
  body: (trial: ReaderTrial) => Promise<void>,
  conditions: CaseConditions,
): Promise<void> {
  const { fetch = (request: Request) => globalThis.fetch(request), patienceMs = PATIENCE_MS } =
    doors;
  const leaves: (() => void)[] = [];

  function start(trial: HttpTrial, run: WireRun, since: number, cuts: readonly Cut[]): Reading {
    const { baseUrl, basePath } = trial;
    const leaving = new AbortController();
    const iterator = doors
      .follow({
        baseUrl,
        basePath,
        runId: run.id,
        since,
        token: doors.tokens[0],
        cookie: trial.owner.session["cookie"] ?? "",
        fetch: createCuttingFetch(fetch, cuts),
        signal: leaving.signal,
      })
      [Symbol.asyncIterator]();
    const leave = (): void => {
      if (leaving.signal.aborted) return;
      leaving.abort();
      // The rest of it does not matter.
      iterator.return?.()?.catch(() => {});
    };
    leaves.push(leave);
    return {
      async next() {
        const what = `the reader's next event of ${run.id}, or its end,`;
        const result = await within(patienceMs, iterator.next(), what);
        return result.done === true ? "end" : result.value;
      },
      leave,
    };
  }

  async function runBody(trial: HttpTrial): Promise<void> {
    try {
      await body({ ...trial, start: (run, since, cuts = []) => start(trial, run, since, cuts) });
    } finally {
      for (const leave of leaves) leave();
    }
  }

  await runHttpTrial(doors, runBody, conditions);
}
