import {
  isTerminal,
  type RunEvent,
  type RunEventsError,
  type RunEventsPage,
} from "@tm/run-events-core";
import { runNotFound } from "@tm/run-events-core/store";
import { historyChanged } from "@tm/run-events-core/wire";
import type { ConnectionState, FollowState } from "../follow/connection-state.ts";
import { contiguous } from "../http/contiguous.ts";
import { readRange } from "../http/read-range.ts";
import { CALL_PATIENCE_MS } from "../http/retrying.ts";
import { pageCall, type PageQuery } from "../http/run-calls.ts";
import { toError } from "../http/server-errors.ts";
import { shareKey } from "../page/page-connection.ts";
import { type Place, type SharedRun, type SharedRunOptions, shareRun } from "../page/shared-run.ts";
import type { EventMap } from "../typed/event-map.ts";
import { checkPayload, hasSchema } from "../typed/payload-schema.ts";
import type { InitialRun, RunOptions, RunView, Store } from "./run-view.ts";

/** The last events of a run. @see clause W45 in `WIRE.md` */
type TailPage = RunEventsPage & { readonly since: number };

/** The number of events that `loadEarlier` reads without a `tail`. */
const EARLIER = 100;

/** Options with the same key are for the same view. Schemas, `initial` and functions are not part of it. */
export function viewKey(runId: string | null, options: RunOptions): string {
  return JSON.stringify([shareKey(options, runId), options.tail]);
}

/**
 * One view of a run: the part that it shows of the events that all views of the page share.
 *
 * | it                                 | until                                    | then                          |
 * | ---------------------------------- | ---------------------------------------- | ----------------------------- |
 * | has no subscriber                  | the first one comes                      | joins the shared run, opens   |
 * | opens: knows no beginning          | the server has sent the last events      | opens: has a beginning        |
 * | opens: lacks what the others skip  | the pages up to there have been read     | takes the shared run's events |
 * | takes events                       | a schema refuses one                     | has failed                    |
 * | takes events, or opens             | the log has lost the view's last event   | has failed                    |
 * | takes events, or opens             | the last subscriber leaves, and 1 s more | keeps what it has             |
 */
export class RunStore<M extends EventMap> implements Store<RunView<M>> {
  readonly #options: SharedRunOptions | null;
  readonly #tail: number | undefined;
  readonly #schemas: NonNullable<RunOptions<M>["schemas"]>;
  readonly #listeners = new Set<{ readonly call: () => void }>();
  #events: RunEvent[] = [];
  /** The sequence before the first of the events; `null` until the server has said where the tail begins. */
  #from: number | null;
  #status: Pick<ConnectionState, "runStatus" | "currentPhase"> = {
    runStatus: null,
    currentPhase: null,
  };
  #state: FollowState | "idle" = "connecting";
  #error: RunEventsError | null = null;
  #shared: SharedRun | null = null;
  #leave = (): void => {};
  /** Whether the shared run's events continue those of this view. */
  #isOpen = false;
  #isTaking = false;
  #loading: Promise<void> | null = null;
  #loadError: RunEventsError | null = null;
  /** The events of the newest view. */
  #shown: readonly RunEvent[] = [];
  #view: RunView<M> | null = null;
  readonly #first: RunView<M>;

  constructor(runId: string | null, options: RunOptions<M>) {
    const { tail, schemas, initial } = options;
    this.#options = runId === null ? null : { ...options, runId };
    this.#tail = tail;
    this.#schemas = schemas ?? ({} as NonNullable<typeof schemas>);
    this.#from = tail === undefined ? 0 : null;
    if (runId === null) this.#state = "idle";
    else if (initial !== undefined) this.#begin(initial, initial.events);
    this.#first = this.#look();
  }

  /** The first view, with the events of `initial`: what a server renders, and what the browser shows before React has hydrated it. */
  readonly getFirstSnapshot = (): RunView<M> => this.#first;

  readonly getSnapshot = (): RunView<M> => (this.#view ??= this.#look());

  /** The events so far. The array grows. */
  get events(): readonly RunEvent[] {
    return this.#events;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#options === null) return () => {};
    const own = { call: listener };
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#join(shareRun(this.#options));
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#leave();
    };
  };

  readonly cancel = async (): Promise<void> => {
    if (this.#options === null || this.#state === "finished") return;
    await (this.#shared ?? shareRun(this.#options)).cancel();
    // Without a subscriber nothing else replaces the view.
    if (this.#listeners.size === 0) this.#view = null;
  };

  readonly input: RunView["input"] = async (payload, options) => {
    if (this.#options === null) throw runNotFound();
    return (this.#shared ?? shareRun(this.#options)).input(payload, options);
  };

  readonly loadEarlier = async (): Promise<void> => {
    const [shared, from] = [this.#shared, this.#from];
    if (shared === null || shared.signal.aborted || from === null || from === 0) return;
    if (this.#loading === null) {
      this.#loading = this.#load(shared, from).finally(() => {
        this.#loading = null;
        this.#change();
      });
      this.#change();
    }
    await this.#loading;
  };

  get #cursor(): number {
    return (this.#from ?? 0) + this.#events.length;
  }

  get #place(): Place {
    return { since: this.#cursor, at: this.#events.at(-1)?.createdAt };
  }

  /** The shared run, if its events continue those of this view. */
  get #source(): SharedRun | null {
    return this.#isOpen ? this.#shared : null;
  }

  #join(shared: SharedRun): void {
    this.#leave = shared.join(() => void this.#take());
    // After a short leave, as under StrictMode, it is still the same one.
    if (shared === this.#shared && this.#state !== "failed") return void this.#take();
    this.#shared = shared;
    this.#isOpen = false;
    if (this.#state === "failed") this.#show("connecting", null);
    void this.#open(shared);
  }

  async #open(shared: SharedRun): Promise<void> {
    const { signal, runId } = shared;
    const how = { signal, onRetry: this.#onRetry };
    const ask = async <Page>(query: Omit<PageQuery, "wait">): Promise<Page> =>
      shared.server.ask(pageCall(runId, { ...query, wait: 0 }), how);
    const isNew = this.#from === null;
    try {
      if (isNew) {
        const tail = this.#tail ?? 0;
        const page = await ask<TailPage>({ tail, limit: tail });
        const events: RunEvent[] = [];
        for (const event of contiguous(page.events, page.since))
          events.push(await checkPayload(this.#schemas, event));
        signal.throwIfAborted();
        this.#begin(page, events);
        this.#change();
      }
      if (this.#state === "finished") return;
      shared.follow(this.#place);
      const { start } = shared;
      if (start > this.#cursor) {
        const next = shared.timeAt(start) === undefined ? shared.after(start)[0] : undefined;
        const range = { runId, ...this.#place, until: start, next };
        for await (const events of readRange(shared.server, range, how)) {
          await this.#append(events);
          this.#show("connecting", null);
        }
      }
      // The shared run is not that far yet, so only the server knows whether the log has the view's last event.
      if (shared.cursor < this.#cursor && !isNew) await ask({ ...this.#place, limit: 1 });
      signal.throwIfAborted();
      this.#isOpen = true;
      await this.#take();
    } catch (error) {
      if (!signal.aborted) this.#show("failed", toError(error));
    }
  }

  #begin({ since, ...run }: InitialRun | TailPage, events: readonly RunEvent[]): void {
    const from = since ?? (events[0]?.sequence ?? 1) - 1;
    if (events.some(({ sequence }, index) => sequence !== from + index + 1)) {
      throw new TypeError("Expected the events of `initial` to be in order, without a gap.");
    }
    this.#from = from;
    this.#events = [...events];
    this.#status = { runStatus: run.runStatus, currentPhase: run.currentPhase };
    if (isTerminal(run.runStatus) && this.#cursor === run.lastSequence) this.#state = "finished";
  }

  /** Takes the new events of the shared run, and its connection's state after them. */
  async #take(): Promise<void> {
    const shared = this.#shared;
    if (shared === null || this.#isTaking) return;
    this.#isTaking = true;
    try {
      let source = this.#source;
      while (source !== null && source.cursor > this.#cursor && !source.isOtherLog(this.#place)) {
        const checking = this.#append(source.after(this.#cursor));
        if (checking !== undefined) await checking;
        source = this.#source;
      }
      if (source !== null) {
        if (!source.hasFailed && source.isOtherLog(this.#place))
          throw historyChanged(source.cursor);
        const { runStatus, currentPhase, state, error } = source.connection;
        // The shared run may still be on its way to where this view began.
        if (source.cursor === this.#cursor && runStatus !== null)
          this.#status = { runStatus, currentPhase };
        [this.#state, this.#error] = [state, error];
      }
    } catch (error) {
      if (!shared.signal.aborted) {
        this.#isOpen = false;
        [this.#state, this.#error] = ["failed", toError(error)];
      }
    } finally {
      this.#isTaking = false;
    }
    this.#change();
  }

  /** Adds the events that continue the sequence. Resolves when all are checked, if any has a schema. */
  #append(events: readonly RunEvent[]): Promise<void> | undefined {
    for (const [index, event] of events.entries()) {
      if (hasSchema(this.#schemas, event.eventType))
        return this.#appendChecked(events.slice(index));
      if (event.sequence === this.#cursor + 1) this.#events.push(event);
    }
    return undefined;
  }

  async #appendChecked(events: readonly RunEvent[]): Promise<void> {
    for (const event of events) {
      const checked = await checkPayload(this.#schemas, event);
      if (event.sequence === this.#cursor + 1) this.#events.push(checked);
    }
  }

  async #load(shared: SharedRun, from: number): Promise<void> {
    const { runId, signal } = shared;
    this.#loadError = null;
    const since = Math.max(0, from - (this.#tail ?? EARLIER));
    try {
      // The earlier events must be of the same log.
      const range = { runId, since, until: from, next: this.#events[0] };
      const earlier: RunEvent[] = [];
      const how = { signal, patienceMs: CALL_PATIENCE_MS };
      for await (const events of readRange(shared.server, range, how))
        for (const event of events) earlier.push(await checkPayload(this.#schemas, event));
      this.#events.unshift(...earlier);
      this.#from = since;
    } catch (error) {
      if (!signal.aborted) this.#loadError = toError(error);
    }
  }

  readonly #onRetry = (error: RunEventsError): void => this.#show("paused", error);

  #show(state: FollowState, error: RunEventsError | null): void {
    [this.#state, this.#error] = [state, error];
    this.#change();
  }

  #change(): void {
    this.#view = null;
    for (const { call } of this.#listeners) call();
  }

  #look(): RunView<M> {
    if (this.#shown.length !== this.#events.length) this.#shown = [...this.#events];
    const isOver = this.#state === "finished" || this.#state === "failed";
    return {
      ...this.#status,
      state: this.#state,
      error: this.#error,
      cursor: this.#cursor,
      // The payload types are the caller's promise, or the schemas'.
      events: this.#shown as RunView<M>["events"],
      hasEarlier: this.#from !== null && this.#from > 0,
      isLoadingEarlier: this.#loading !== null,
      isCancelling: !isOver && this.#shared?.isCancelling === true,
      loadError: this.#loadError,
      cancelError: this.#shared?.cancelError ?? null,
      loadEarlier: this.loadEarlier,
      cancel: this.cancel,
      input: this.input,
    };
  }
}
