import type { Part } from "../follow/plan-attempt.ts";
import { type ConnectionOptions, connectionFor, shareKey } from "./page-connection.ts";

/** How long a shared run or list is still followed after its last view has left, in milliseconds: a new view often comes at once. */
const LINGER_MS = 1_000;

/** The time between two calls of a listener, in milliseconds, so that a replay of thousands of events makes only a few dozen views. */
const FRAME_MS = 16;

/** The parts that views of this page share, by key. Where a server renders, nothing joins, so that it keeps nothing. */
const all = new Map<string, { readonly hasFailed: boolean }>();

/**
 * The shared run or list that views of this page with these options share.
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

/**
 * A run, or the owner's list, that any number of views show over one connection: what was read of it, and the connection's state. It is
 * followed until the last view has left, and for one more second.
 */
export abstract class Shared<View, P extends Part> {
  /** `null` for the list. */
  readonly runId: string | null;
  protected readonly options: ConnectionOptions;
  readonly #views = new Set<View>();
  readonly #left = new AbortController();
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #frame: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions, runId: string | null) {
    this.options = options;
    this.runId = runId;
  }

  abstract get connection(): P["connection"];

  get hasFailed(): boolean {
    return this.connection.state === "failed";
  }

  /** Aborts when it is left. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  get views(): readonly View[] {
    return [...this.#views];
  }

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

  /** Follows a part over the page's connection until the signal aborts. */
  protected connect(part: P, signal: AbortSignal): void {
    connectionFor(this.options).follow(part, signal);
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
