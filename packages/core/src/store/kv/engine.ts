/** A key with its value. Both are well-formed text; a key has only ASCII characters from U+0021 to U+007E. */
export interface KvEntry {
  readonly key: string;
  readonly value: string;
}

/** The value that a key has to have, or is to get; `null` for none. */
export interface KvPair {
  readonly key: string;
  readonly value: string | null;
}

/** The entries from one key to before another. */
export interface KvRange {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  /** Whether the greatest keys come first. */
  readonly reverse: boolean;
}

/** All entries as of one instant. */
export interface KvSnapshot {
  /** The values of these keys, in their order; `null` for a key that does not exist. */
  get(keys: readonly string[]): Promise<readonly (string | null)[]>;
  /** The first entries of a range, by the codes of their keys' characters: upper case comes before lower case. */
  scan(range: KvRange): Promise<readonly KvEntry[]>;
}

/**
 * The functions that `createKvStore` needs of a database with ordered keys and an atomic compare-and-set over several of them. Its methods are called at
 * the same time; what has to wait, waits inside. Any error that they throw is the cause of a `store_unavailable`.
 */
export interface KvEngine {
  readonly limits: {
    /** The number of keys that one `get`, or the checks and writes of one `commit` together, may have at most: 64 or more. */
    readonly mostOps: number;
    /** The most bytes of UTF-8 that the keys and values of one `commit` may have together. */
    readonly mostBytes: number;
  };
  /**
   * Reads as of one instant, with every commit that was acknowledged before this call. A replica that lags must not answer.
   * @param work called once
   */
  read<T>(work: (snapshot: KvSnapshot) => Promise<T>): Promise<T>;
  /**
   * Writes all, durably and at one instant, if at this instant every key has the value that it is checked for. A `null` that is written removes
   * the key. No key is written twice.
   * @returns whether it has written. `false`: a check failed, or may have
   * @throws anything, if that is not known
   */
  commit(checks: readonly KvPair[], writes: readonly KvPair[]): Promise<boolean>;
  /** The database's clock, in whole milliseconds since 1970. Without it the store keeps a clock of its own. */
  now?(): Promise<number>;
  /**
   * Calls with keys that others have written, as soon as possible. It may lose some: the store also polls, once a second.
   * @returns what ends it
   */
  watch?(onKeys: (keys: readonly string[]) => void): () => void;
  /** Called once, after all other calls have ended. */
  close(): Promise<void>;
}
