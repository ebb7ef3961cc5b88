import { RunEventsError } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";
import { isOtherEvent } from "../http/is-other-event.ts";
import { linkAbort, untilAborted } from "../http/link-abort.ts";
import { checkPlace, readRange } from "../http/read-range.ts";
import { createServer, type ServerOptions } from "../http/server.ts";
import { toError } from "../http/server-errors.ts";
import type { RunCell } from "./run-cell.ts";
import { type RunMessage, timeIn } from "./tab-messages.ts";

/**
 * A run that a tab shows. It puts what comes from the tab with the connection into the run's cell.
 *
 * | it       | until                                                    | then                          |
 * | -------- | -------------------------------------------------------- | ----------------------------- |
 * | takes    | events come that the leading tab has no beginning for    | reads                         |
 * | reads    | it has the events up to the newest message               | takes                         |
 * | either   | the run's end, or its failure, comes with all its events | is over                       |
 * | either   | the signal aborts                                        | is over                       |
 */
export class TabMember {
  readonly runId: string;
  readonly cell: RunCell;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  readonly #options: ServerOptions;
  readonly #signal: AbortSignal;
  readonly #end: () => void;
  #isReading = false;
  /** The sequence of the last event that the server was asked about. */
  #asked = 0;
  /** The newest message that came while it reads. */
  #newest: RunMessage | null = null;

  constructor(options: ServerOptions, runId: string, cell: RunCell, signal: AbortSignal) {
    const { signal: own, abort } = linkAbort(signal);
    this.runId = runId;
    this.cell = cell;
    this.over = untilAborted(own);
    this.#options = options;
    this.#signal = own;
    this.#end = abort;
  }

  get isOver(): boolean {
    return this.#signal.aborted;
  }

  /** Whether the message is of a log in which the last event of this tab is another one, or is missing. @see clause W46 in `WIRE.md` */
  isStrange(message: RunMessage): boolean {
    if (this.isOver) return false;
    const { connection, error } = message;
    if (error?.code === "history_changed" || error?.code === "cursor_ahead") return true;
    const [cursor, at] = [this.cell.cursor(), this.cell.at()];
    const isMissing = connection.state === "finished" && connection.cursor < cursor;
    return isMissing || isOtherEvent(at, timeIn(message, cursor));
  }

  /**
   * Takes the events that continue those of the cell. If it cannot, because the beginning is missing, it reads the events itself, unless
   * the leading tab has them.
   * @returns false if the tab with the connection has to be asked for them
   */
  accept(message: RunMessage): boolean {
    if (this.isOver) return true;
    const { cell } = this;
    if (message.from > cell.cursor()) {
      const isThere = message.start <= cell.cursor() && !this.#isReading;
      if (!isThere) void this.#read(message);
      return !isThere;
    }
    cell.add(message.events);
    const own = cell.connection();
    const { connection, error } = message;
    // More events of this tab's gap are still on their way.
    if (own.cursor < connection.cursor) return true;
    if (own.cursor > connection.cursor && connection.state === "live") void this.#askOnce();
    this.#show({
      // A tab that has just taken over, and has fewer events, knows an older status.
      ...(own.cursor === connection.cursor ? connection : own),
      state: connection.state,
      error: error && new RunEventsError(error.code, error.message, error),
    });
    return true;
  }

  /** Shows that nothing is read for now. */
  pause(): void {
    if (!this.isOver) this.#show({ ...this.cell.connection(), state: "paused", error: null });
  }

  #show(connection: ConnectionState): void {
    this.cell.setConnection(connection);
    if (connection.state === "finished" || connection.state === "failed") this.#end();
  }

  /** Shows a failure in this tab only: other tabs may go on. */
  #fail(error: unknown): void {
    if (this.#signal.aborted) return;
    this.#show({ ...this.cell.connection(), state: "failed", error: toError(error) });
  }

  /** Asks the server, once, whether the log has this tab's last event: the leading tab is not that far, and may never be. */
  async #askOnce(): Promise<void> {
    const { cell, runId } = this;
    const place = { runId, since: cell.cursor(), at: cell.at() };
    if (this.#asked === place.since) return;
    this.#asked = place.since;
    try {
      await checkPlace(createServer(this.#options), place, { signal: this.#signal });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Reads the events up to the newest message. */
  async #read(message: RunMessage): Promise<void> {
    this.#newest = message;
    if (this.#isReading) return;
    this.#isReading = true;
    const { cell, runId } = this;
    const signal = this.#signal;
    const show = (error: RunEventsError | null): void =>
      this.#show({ ...cell.connection(), state: error === null ? "connecting" : "paused", error });
    try {
      while (this.#newest.connection.cursor > cell.cursor()) {
        const range = {
          runId,
          since: cell.cursor(),
          at: cell.at(),
          until: this.#newest.connection.cursor,
        };
        const patience = { signal, onRetry: show };
        for await (const events of readRange(createServer(this.#options), range, patience)) {
          cell.add(events);
          show(null);
          // This tab may lead by now, and have got them over the connection.
          if (cell.cursor() >= range.until) break;
        }
      }
      this.#isReading = false;
      this.accept({ ...this.#newest, events: [], from: this.#newest.connection.cursor });
    } catch (error) {
      this.#fail(error);
    }
  }
}
