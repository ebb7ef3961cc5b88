import type {
  AppendReceipt,
  Claim,
  EventDraft,
  RunEventsPage,
  RunSnapshot,
  WorkedRun,
  WorkOptions,
} from "@tm/run-events-core";
import { sealDraft } from "@tm/run-events-core/wire";
import { type WatchedRuns, watchRuns, type WatchRunsOptions } from "../follow/watch-runs.ts";
import { followRun, type RunFollower } from "../follow/follow-run.ts";
import type { FollowRunOptions } from "../follow/follow-options.ts";
import { isText } from "../http/fits.ts";
import type { EventsQuery, LeaseAsked, ListQuery, NewRun } from "../http/queries.ts";
import { CALL_PATIENCE_MS, type CallOptions } from "../http/retrying.ts";
import {
  ANSWER_SECONDS,
  appendCall,
  type AppendConditions,
  type Call,
  cancelCall,
  claimCall,
  createCall,
  deleteCall,
  getCall,
  type InputConditions,
  inputCall,
  listCall,
  pageCall,
  type Read,
  releaseCall,
  renewCall,
} from "../http/run-calls.ts";
import { createServer, type ServerOptions } from "../http/server.ts";
import type { EventMap } from "../typed/event-map.ts";
import { type KeptRun, readKept, readList, type RunList } from "./kept-run.ts";

/** The longest wait that a server accepts, in seconds. It refuses a longer one at once. @see clause W17 in `WIRE.md` */
const MOST_WAIT_SECONDS = 30;

/** The session of a browser. @see clause W29 in `WIRE.md` */
const SESSION = "/v1/session";

/** The server's address, the credential for it, and how long a call is tried. */
export interface ClientOptions extends ServerOptions {
  /**
   * The time that a call is tried while the server does not answer, in milliseconds. With 0 the call is made once.
   * @defaultValue 10,000
   */
  readonly patienceMs?: number;
}

/** The session of the user who is signed in. */
export interface Session {
  readonly userId: string;
  /** When the session ends, ISO 8601. */
  readonly expiresAt: string;
}

/**
 * The runs of one user on one server. While the server does not answer, each call is tried again for `patienceMs`.
 *
 * Each call rejects with one of these:
 *
 * - a RunEventsError with the server's code, if the server refuses;
 * - a RunEventsError `store_unavailable`, `retryable`, if the server does not answer within `patienceMs`. It is `ambiguous` if the call
 *   may have had its effect;
 * - a TypeError, if `runId` is not a string;
 * - the signal's reason.
 */
export interface Client {
  /**
   * Creates a run. If you already have a run with that id, it is returned unchanged.
   * @throws RunEventsError `topic_busy` (with `runId`) for an `exclusive` run while you have a live run of the topic
   * @see clause W8 in `WIRE.md` of `@tm/run-events-http`
   */
  create(run?: NewRun, options?: CallOptions): Promise<RunSnapshot>;
  /**
   * Creates a run and claims it in the same step, so that it is never without a worker. A call that is tried again keeps its key, and gets
   * the same lease. {@link Client.work} needs a run that exists; this is for a worker of your own, as `run-events exec` is one.
   * @returns the run, with the fence and the end of the lease
   * @throws RunEventsError as {@link Client.create}; `claimed` (with `expiresAt`) or `run_finished` for a run that exists
   * @see clause W36 in `WIRE.md` of `@tm/run-events-http`
   */
  createClaimed(run: NewRun & LeaseAsked, options?: CallOptions): Promise<RunSnapshot & Claim>;
  /** Lists your runs, newest first, one page at a time. @see clause W14 in `WIRE.md` of `@tm/run-events-http` */
  list(query?: ListQuery, options?: CallOptions): Promise<RunList>;
  /**
   * Reads a run's state.
   * @throws RunEventsError `not_found`
   * @see clause W14 in `WIRE.md` of `@tm/run-events-http`
   */
  get(runId: string, options?: CallOptions): Promise<KeptRun>;
  /**
   * Reads one page of the events after `since`, in order.
   * @throws RunEventsError `not_found`, `cursor_ahead`, `history_changed`
   * @see clauses W15 to W17 and W46 in `WIRE.md` of `@tm/run-events-http`
   */
  events(runId: string, query?: EventsQuery, options?: CallOptions): Promise<RunEventsPage>;
  /**
   * Appends all of the events, or none. A call that is tried again keeps its key, so its events land once.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `invalid_event`, `payload_too_large`
   * @see clauses W9 to W11 and W32 in `WIRE.md` of `@tm/run-events-http`
   */
  append(
    runId: string,
    events: readonly EventDraft[],
    options?: AppendConditions & CallOptions,
  ): Promise<AppendReceipt>;
  /**
   * Gives a run its owner's input: appends `INPUT_RECEIVED` with this payload. A waiting run is running again. A worker that has the run
   * keeps it, and gets the payload. A call that is tried again keeps its key, so its input lands once.
   * @throws RunEventsError `not_found`, `run_finished`, `sequence_conflict`, `payload_too_large`
   * @see clauses W38 and W39 in `WIRE.md` of `@tm/run-events-http`
   */
  input(
    runId: string,
    payload?: unknown,
    options?: InputConditions & CallOptions,
  ): Promise<AppendReceipt>;
  /**
   * Ends the run as cancelled, unless it has finished.
   * @returns the run afterwards
   * @see clause W13 in `WIRE.md` of `@tm/run-events-http`
   */
  cancel(runId: string, options?: CallOptions): Promise<RunSnapshot>;
  /**
   * Removes a finished run, with its events.
   * @throws RunEventsError `not_found`, `run_active`
   * @see clause W14 in `WIRE.md` of `@tm/run-events-http`
   */
  delete(runId: string, options?: CallOptions): Promise<void>;
  /**
   * Claims a run that has no lease, or whose lease has expired. {@link Client.work} claims, renews and releases by itself.
   * @throws RunEventsError `claimed` (with `expiresAt`), `run_finished`, `not_found`
   * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
   */
  claim(runId: string, options: LeaseAsked & CallOptions): Promise<Claim>;
  /**
   * Renews a lease: it then lasts `leaseMs` from now, in milliseconds: 1,000 to 3,600,000.
   * @throws RunEventsError `fenced`, `run_finished`, `not_found`
   * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
   */
  renew(
    runId: string,
    fence: number,
    options: { readonly leaseMs: number } & CallOptions,
  ): Promise<Claim>;
  /**
   * Ends a lease, so that another worker can claim the run. Idempotent.
   * @throws RunEventsError as {@link Client.renew}
   * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
   */
  release(runId: string, fence: number, options?: CallOptions): Promise<void>;
  /** Follows a run to its end, as `followRun` does. */
  follow<M extends EventMap = EventMap>(
    runId: string,
    options?: FollowRunOptions<M>,
  ): RunFollower<M>;
  /**
   * Watches your list: the live runs and the newest 50. Yields the whole list, and again after each change, with each run as it is now, at most
   * four times a second for each run. It is a list, not a log: a program that has to act on every end must not rely on it. To stop
   * it, leave the loop, or abort `options.signal`.
   * @throws RunEventsError `unauthenticated`, `invalid_request` for a bad topic, and any other error that waiting cannot cure
   * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
   */
  watch(options?: WatchRunsOptions): AsyncIterable<WatchedRuns>;
  /** Works on a run as its only writer, as `workRun` does. */
  work<Value>(
    runId: string,
    options: WorkOptions,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<Value>;
  /**
   * Reads the session of this browser.
   * @throws RunEventsError `unauthenticated` without a session
   * @see clause W29 in `WIRE.md` of `@tm/run-events-http`
   */
  session(options?: CallOptions): Promise<Session>;
  /**
   * Opens a session in this browser with a token.
   * @throws RunEventsError `unauthenticated` if the token is not valid
   * @see clause W29 in `WIRE.md` of `@tm/run-events-http`
   */
  openSession(token: string, options?: CallOptions): Promise<void>;
  /**
   * Ends the session of this browser.
   * @throws RunEventsError `unauthenticated` without a session
   * @see clause W29 in `WIRE.md` of `@tm/run-events-http`
   */
  closeSession(options?: CallOptions): Promise<void>;
}

/**
 * Creates a client for all calls of a server, over HTTP.
 * @throws TypeError if the credential cannot be sent, or if `basePath` is not a path
 *
 * @example
 * const runs = createClient({ baseUrl, credential: { bearer: token } });
 * const { runId } = await runs.create({ topic: "tea" });
 * await runs.append(runId, [{ eventType: "RUN_STARTED" }]);
 * const { events } = await runs.events(runId);
 * await runs.cancel(runId);
 */
export function createClient(options: ClientOptions = {}): Client {
  const server = createServer(options);

  async function ask<T>(call: Call, how: CallOptions = {}): Promise<T> {
    const { signal, patienceMs = options.patienceMs ?? CALL_PATIENCE_MS, onRetry } = how;
    return server.ask<T>(call, { signal, patienceMs, onRetry });
  }

  return {
    create: async (run = {}, how) => ask(createCall(run), how),
    createClaimed: async (run, how) => ask(createCall(run), how),
    list: async ({ status, topic, limit, cursor } = {}, how) =>
      ask({ ...listCall({ status, topic, limit, cursor }), read: readList }, how),
    get: async (runId, how) => ask({ ...getCall(runId), read: readKept }, how),
    async events(runId, { since, at, tail, limit, waitSeconds = 0, parseJson } = {}, how) {
      const call = pageCall(runId, { since, at, tail, limit, wait: waitSeconds });
      const held = waitSeconds > 0 ? Math.min(waitSeconds, MOST_WAIT_SECONDS) : 0;
      const read: Read = (json, _, text) => (parseJson ? parseJson(text) : json);
      return ask({ ...call, seconds: ANSWER_SECONDS + held, read }, how);
    },
    input: async (runId, payload, how = {}) => ask(inputCall(runId, payload, how), how),
    append: async (runId, events, how = {}) =>
      ask(appendCall(runId, events.map(sealDraft), how), how),
    cancel: async (runId, how) => ask(cancelCall(runId), how),
    delete: async (runId, how) => ask(deleteCall(runId), how),
    claim: async (runId, how) => ask(claimCall(runId, how), how),
    renew: async (runId, fence, how) => ask(renewCall(runId, fence, how.leaseMs), how),
    release: async (runId, fence, how) => ask(releaseCall(runId, fence), how),
    watch: (how) => watchRuns({ ...options, ...how }),
    follow: (runId, how) => followRun({ ...options, ...how, runId }),
    // Loaded when it is called: most pages of a browser work on no run.
    work: async (runId, how, task) => {
      const { workRun } = await import("../write/work-run.ts");
      return workRun({ ...options, ...how, runId }, task);
    },
    session: async (how) => ask({ path: SESSION, answer: { userId: isText } }, how),
    async openSession(token, how) {
      const headers = { authorization: `Bearer ${token}` };
      return ask({ path: SESSION, method: "POST", headers }, how);
    },
    closeSession: async (how) => ask({ path: SESSION, method: "DELETE" }, how),
  };
}
