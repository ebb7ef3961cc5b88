import { isTerminal } from "../rules/lifecycle.ts";
import {
  DIGEST_END,
  digestOfRun,
  digestOfText,
  encodeVersion,
  isSameState,
} from "../rules/list-version.ts";
import type { RunRecord } from "../rules/run.ts";

/** The owner and the topic of a list. */
export interface WatchScope {
  readonly ownerId: string;
  /** Only runs of this topic; `null` for all. */
  readonly topic: string | null;
}

/** The sizes of a list. */
export interface ListLimits {
  /** Live ones, the newest. */
  readonly live: number;
  /** The newest ones of any status. */
  readonly newest: number;
  /** The number of runs kept that ended after they were in the list, the last to end. */
  readonly ended: number;
}

/** @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export const LIST_LIMITS: ListLimits = { live: 1_000, newest: 50, ended: 50 };

/** The longest metadata that is kept, in UTF-16 units. Longer metadata is read again when it is sent. */
const KEPT_METADATA = 4_096;

export interface Look {
  /** The live runs, newest first: one more than the limit if there are more. Without metadata. */
  readonly live: readonly RunRecord[];
  /** The newest runs, read after the live ones. Without metadata. */
  readonly newest: readonly RunRecord[];
  /** The runs that the list had and the look lacks, as they were read afterwards; `null` for one that does not exist. */
  readonly lacking: ReadonlyMap<string, RunRecord | null>;
}

interface Listed {
  /** Its metadata is empty if that is not known, or too long to keep. */
  readonly head: RunRecord;
  readonly digest: number;
}

/**
 * An owner's list as it was last seen: the live runs and the newest ones, and some that have ended since they were in it. States are
 * compared, so it does not matter how the store came to them: a run that was deleted, a log that has lost its end, and a clock that was
 * set are changes as any other. It reads no clock and makes no call.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class WatchedList {
  readonly #scope: WatchScope;
  readonly #limits: ListLimits;
  /** The list's runs. The ones that have ended since are in the order in which their end was seen. */
  readonly #runs = new Map<string, Listed>();
  #sum: number;
  #more = false;
  /** The ordinal of the oldest live run in the list if there are older ones outside it, else 0. */
  #oldestLive = 0;

  constructor(scope: WatchScope, limits: ListLimits = LIST_LIMITS) {
    this.#scope = scope;
    this.#limits = limits;
    this.#sum = digestOfText(JSON.stringify([scope.ownerId, scope.topic]));
  }

  /** Whether there are older live runs than the list has. */
  get more(): boolean {
    return this.#more;
  }

  get version(): string {
    return encodeVersion(this.#sum + (this.#more ? 1 : 0));
  }

  /** The run as it was last seen; `null` if the list does not have it. Its metadata may be empty: then it has to be read. */
  head(runId: string): RunRecord | null {
    return this.#runs.get(runId)?.head ?? null;
  }

  /** Keeps the metadata of a run that was read, unless it is long. It never changes, so it is good for every later state of the run. */
  learn(read: RunRecord): void {
    const known = this.#runs.get(read.runId);
    if (known === undefined || !isSameRun(known.head, read)) return;
    const head = { ...known.head, metadata: keptMetadata(read, undefined) };
    this.#runs.set(read.runId, { ...known, head });
  }

  newestFirst(): readonly string[] {
    const heads = Array.from(this.#runs.values(), ({ head }) => head);
    return heads.toSorted((a, b) => b.ordinal - a.ordinal).map(({ runId }) => runId);
  }

  /** The runs of the list that a look has not found: they have ended, were removed, or newer ones have displaced them. */
  lackingIn(found: readonly RunRecord[]): readonly string[] {
    const ids = new Set(found.map(({ runId }) => runId));
    return [...this.#runs.keys()].filter((runId) => !ids.has(runId));
  }

  /**
   * Takes what a look has found.
   * @returns the ids of the runs that have changed, come or gone; and whether there has to be another look
   */
  take({ live, newest, lacking }: Look): {
    readonly changed: readonly string[];
    readonly mustLook: boolean;
  } {
    const limits = this.#limits;
    const living = live.slice(0, limits.live);
    this.#more = live.length > limits.live;
    this.#oldestLive = this.#more ? (living.at(-1)?.ordinal ?? 0) : 0;
    const changed: string[] = [];
    const put = (runId: string, run: RunRecord | null): void => {
      if (this.#put(runId, run)) changed.push(runId);
    };
    // The newest were read later.
    const found = new Map([...living, ...newest].map((one) => [one.runId, one]));
    for (const [runId, run] of found) put(runId, run);
    for (const { runId } of live.slice(limits.live)) if (!found.has(runId)) put(runId, null);
    for (const [runId, run] of lacking)
      put(runId, this.#isInScope(run) && isTerminal(run.runStatus) ? run : null);
    const over = [...this.#runs.keys()].filter((runId) => lacking.has(runId));
    for (const runId of over.slice(0, Math.max(0, over.length - limits.ended))) put(runId, null);
    // A run that was created in between may take the place of another one, unless that one has ended.
    const known = new Set(live.map(({ runId }) => runId));
    const oldest = living.length < limits.live ? 0 : (living.at(-1)?.ordinal ?? 0);
    const late = newest.filter(
      ({ runId, runStatus, ordinal }) =>
        !isTerminal(runStatus) && !known.has(runId) && ordinal > oldest,
    );
    return { changed, mustLook: late.length > 0 && living.length + late.length > limits.live };
  }

  /**
   * Takes a run that was read by itself; `null` if it was removed.
   * @returns whether the run has changed, and whether the list may now have other runs, which only a look can tell
   */
  takeRun(
    runId: string,
    run: RunRecord | null,
  ): { readonly isChanged: boolean; readonly mustLook: boolean } {
    const before = this.head(runId);
    if (before === null) {
      const mayHavePlace =
        this.#isInScope(run) && (isTerminal(run.runStatus) || run.ordinal > this.#oldestLive);
      return { isChanged: false, mustLook: mayHavePlace };
    }
    if (run?.ordinal !== before.ordinal) return { isChanged: false, mustLook: true };
    const isChanged = this.#put(runId, run);
    return { isChanged, mustLook: isChanged && this.#more && isTerminal(run.runStatus) };
  }

  /** Whether the run belongs to this list. Its id may have been used again, by another owner or for another topic. */
  #isInScope(run: RunRecord | null): run is RunRecord {
    const { ownerId, topic } = this.#scope;
    return run?.ownerId === ownerId && (topic === null || run.topic === topic);
  }

  /** @returns whether it is a change */
  #put(runId: string, run: RunRecord | null): boolean {
    const before = this.#runs.get(runId);
    if (run === null) {
      if (before === undefined) return false;
      this.#runs.delete(runId);
      this.#add(-before.digest);
      return true;
    }
    const head = { ...run, metadata: keptMetadata(run, before?.head) };
    if (before !== undefined && isSameState(before.head, run)) {
      this.#runs.set(runId, { ...before, head });
      return false;
    }
    const digest = digestOfRun(run);
    this.#add(digest - (before?.digest ?? 0));
    if (isTerminal(run.runStatus)) this.#runs.delete(runId);
    this.#runs.set(runId, { head, digest });
    return true;
  }

  #add(digest: number): void {
    this.#sum = (((this.#sum + digest) % DIGEST_END) + DIGEST_END) % DIGEST_END;
  }
}

/** A store that has lost its end gives the same ordinals again. */
function isSameRun(one: RunRecord, other: RunRecord): boolean {
  return one.ordinal === other.ordinal && one.createdAtMs === other.createdAtMs;
}

function keptMetadata(run: RunRecord, before: RunRecord | undefined): string {
  const { metadata } = run;
  if (metadata === "") return before !== undefined && isSameRun(before, run) ? before.metadata : "";
  return metadata.length > KEPT_METADATA ? "" : metadata;
}
