/** The time that it is still followed after its last view has left, in milliseconds. A new view often comes at once. */
const LINGER_MS = 1_000;

/** The parts that views of this page share, by key. Where a server renders, nothing joins, so that it keeps nothing. */
const all = new Map<string, { readonly hasFailed: boolean }>();

/**
 * The one that views of this page share under a key.
 * @param create makes one if there is none, or if the one that is there has failed: it may still have views
 */
export function shareBy<One extends { readonly hasFailed: boolean }>(
  key: string,
  create: (key: string) => One,
): One {
  const known = all.get(key) as One | undefined;
  return known === undefined || known.hasFailed ? create(key) : known;
}

/**
 * A run, or the owner's list, that any number of views show over one connection. It is followed until the last view has left, and for one
 * more second. If it has failed, it is left at once.
 */
export abstract class Shared<View> {
  readonly #key: string;
  readonly #views = new Set<View>();
  readonly #left = new AbortController();
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(key: string) {
    this.#key = key;
  }

  /** Whether it has failed. Then it stays so. */
  abstract get hasFailed(): boolean;

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
      // The next view may be another user's, or the same one's after a new sign-in.
      if (this.hasFailed) this.#leave();
      else this.#lingering = setTimeout(() => this.#leave(), LINGER_MS);
    };
  }

  /** Called when its views have changed, and there are some. */
  protected changeViews(): void {}

  #leave(): void {
    this.#left.abort();
    if (all.get(this.#key) === this) all.delete(this.#key);
  }
}
