import type { KvEngine, KvEntry, KvPair, KvRange } from "../../src/store/kv/engine.ts";

/** Entries in this process, of which every revision is kept, so that a read has one instant although it takes several turns. */
export class MvccData {
  readonly #versions = new Map<
    string,
    { readonly revision: number; readonly value: string | null }[]
  >();
  readonly #keys: string[] = [];
  #revision = 0;
  /** The revision at which each key began to exist, the last time. */
  readonly births: Map<string, number> = new Map();
  readonly watchers: Set<(keys: readonly string[]) => void> = new Set();

  get revision(): number {
    return this.#revision;
  }

  get(key: string, revision: number = this.#revision): string | null {
    return this.#versions.get(key)?.findLast((one) => one.revision <= revision)?.value ?? null;
  }

  scan(from: string, to: string, revision: number = this.#revision): readonly KvEntry[] {
    return this.scanSome({ from, to, limit: Infinity, reverse: false }, revision);
  }

  scanSome({ from, to, limit, reverse }: KvRange, revision: number): readonly KvEntry[] {
    const [low, high] = [this.#indexOf(from), this.#indexOf(to)];
    const entries: KvEntry[] = [];
    for (let step = 0; step < high - low && entries.length < limit; step++) {
      const key = this.#keys[reverse ? high - 1 - step : low + step] ?? "";
      const value = this.get(key, revision);
      if (value !== null) entries.push({ key, value });
    }
    return entries;
  }

  commit(checks: readonly KvPair[], writes: readonly KvPair[]): boolean {
    if (!checks.every(({ key, value }) => this.get(key) === value)) return false;
    this.#revision += 1;
    for (const { key, value } of writes) this.#write(key, value);
    for (const watcher of this.watchers) watcher(writes.map(({ key }) => key));
    return true;
  }

  #write(key: string, value: string | null): void {
    if (this.get(key) === null) this.births.set(key, this.#revision);
    const versions = this.#versions.get(key);
    const version = { revision: this.#revision, value };
    if (versions === undefined) {
      this.#versions.set(key, [version]);
      this.#keys.splice(this.#indexOf(key), 0, key);
    } else {
      // Reads are over within a few turns.
      versions.splice(0, Math.max(0, versions.length - 8));
      versions.push(version);
    }
  }

  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Settings of {@link createMvccEngine}. */
export interface MvccEngineOptions {
  readonly limits?: KvEngine["limits"];
  /** The engine's clock; without one it has none. */
  readonly now?: () => number;
  readonly watches?: boolean;
  /** Awaited before each step: a test holds or fails calls here. */
  readonly before?: (step: "get" | "scan" | "commit") => Promise<void>;
}

/** An engine over entries of this process: optimistic, and as strict as the interface. */
export function createMvccEngine(data: MvccData, options: MvccEngineOptions = {}): KvEngine {
  const { limits = { mostOps: 128, mostBytes: 16_777_216 }, now, watches = false } = options;
  const before = options.before ?? (() => Promise.resolve());

  function check(keys: readonly string[]): void {
    if (keys.length > limits.mostOps) throw new Error(`${keys.length} keys at once`);
    const wrong = keys.find((key) => !/^[!-~]+$/.test(key));
    if (wrong !== undefined) throw new Error(`the key ${wrong}`);
  }

  return {
    limits,
    async read(work) {
      const { revision } = data;
      return work({
        async get(keys) {
          check(keys);
          await before("get");
          return keys.map((key) => data.get(key, revision));
        },
        async scan(range) {
          check([range.from, range.to]);
          await before("scan");
          return data.scanSome(range, revision);
        },
      });
    },
    async commit(checks, writes) {
      const all = [...checks, ...writes];
      check(all.map(({ key }) => key));
      if (new Set(writes.map(({ key }) => key)).size < writes.length)
        throw new Error("written twice");
      const bytes = all.reduce(
        (sum, { key, value }) => sum + Buffer.byteLength(key + (value ?? "")),
        0,
      );
      if (bytes > limits.mostBytes) throw new Error(`${bytes} bytes at once`);
      await before("commit");
      return data.commit(checks, writes);
    },
    ...(now && { now: async () => now() }),
    ...(watches && {
      watch(onKeys: (keys: readonly string[]) => void) {
        data.watchers.add(onKeys);
        return () => void data.watchers.delete(onKeys);
      },
    }),
    close: () => Promise.resolve(),
  };
}
