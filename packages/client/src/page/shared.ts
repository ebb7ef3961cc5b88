import type { RunEventsError } from "@tm/run-events-core";
import type { RunsReader } from "../follow/follow-runs.ts";
import { type ConnectionOptions, connectionFor, shareKey } from "./page-connection.ts";

/** The time that it is still followed after its last view has left, in milliseconds. A new view often comes at once. */
const LINGER_MS = 1_000;

/** The time between two calls of a listener, in milliseconds. So a replay of thousands of events makes only a few dozen views. */
const FRAME_MS = 16;

/** The parts that views of this page share, by key. Where a server renders, nothing joins, so that it keeps nothing. */
const all = new Map<string, { readonly hasFailed: boolean }>();

/**
 * The one that views of this page share.
 * @param create makes the first one, and another after a failure: the user may have signed in since
 */
export function shareBy<One extends { readonly hasFailed: boolean }>(
  options: ConnectionOptions,
  runId: string | null,
  create: () => One,
): One {
  const known = all.get(shareKey(options, runId)) as One | undefined;
  return known === undefined || known.hasFailed ? create() : known;
}

/** The state of a connection. */
interface Connection {
  readonly state: string;
  readonly error: RunEventsError | null;
}

/**
 * A run, or the owner's list, that any number of views show over one connection: what was read of it, and the connection's state. It is
 * followed until the last view has left, and for one more second.
 */
export abstract class Shared<View, C extends Connection> {
  /** `null` for the list. */
  readonly runId: string | null;
  protected readonly options: ConnectionOptions;
  readonly #views = new Set<View>();
  readonly #left = new AbortController();
  #connection: C;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #frame: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions, runId: string | null, connection: C) {
    this.options = options;
    this.runId = runId;
    this.#connection = connection;
  }

  get connection(): C {
    return this.#connection;
  }

  get hasFailed(): boolean {
    return this.#connection.state === "failed";
  }

  get isOver(): boolean {
    return this.hasFailed || this.#connection.state === "finished";
  }

  /** Aborts when it is left. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  get views(): readonly View[] {
    return [...this.#views];
  }

  /** Shows that nothing is read for now, or why reading has failed. */
  show(state: "paused" | "failed", error: RunEventsError | null): void {
    this.setConnection({ ...this.#connection, state, error });
  }

  protected setConnection(connection: C): void {
    this.#connection = connection;
    this.changeSoon();
  }

  /**
   * Reads on after what it has.
   * @returns stops reading
   */
  abstract read(reader: RunsReader): () => void;

  /**
   * Adds a view.
   * @returns a function that removes it
   */
  join(view: View): () => void {
    clearTimeout(this.#lingering);
    all.set(this.#key, this);
    this.#views.add(view);
    this.changeViews();
    return () => {
      this.#views.delete(view);
      // The wants of the last view stay for a second after it has left.
      if (this.#views.size > 0) return this.changeViews();
      this.#lingering = setTimeout(() => this.#leave(), LINGER_MS);
    };
  }

  /** Calls `onChange` soon, once a frame. */
  protected readonly changeSoon = (): void => {
    if (this.#frame !== undefined) return;
    this.#frame = setTimeout(() => {
      this.#frame = undefined;
      this.onChange();
    }, FRAME_MS);
  };

  /** Follows it over the page's connection until it is left. */
  protected connect(): void {
    connectionFor(this.options).follow(this, this.signal);
  }

  /** Called after changes, once a frame. */
  protected abstract onChange(): void;

  /** Called when its views have changed, and there are some. */
  protected changeViews(): void {}

  get #key(): string {
    return shareKey(this.options, this.runId);
  }

  #leave(): void {
    this.#left.abort();
    if (all.get(this.#key) === this) all.delete(this.#key);
  }
}
