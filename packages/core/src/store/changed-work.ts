import {
  type ChangeCursor,
  cursorFor,
  encodeChangeCursor,
  isOver,
  scopeOf,
} from "../rules/change-cursor.ts";
import type {
  ChangedQuery,
  ChangedRuns,
  ChangedScope,
  DeparturesPage,
  DeparturesQuery,
} from "../rules/changed.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { addToDigest, LIVE_GROUPS, type LiveGroup, planLive } from "../rules/live-groups.ts";
import { recordOf } from "../rules/plan-lease.ts";
import type { LivePosition, RunRecord } from "../rules/run.ts";
import {
  findWitnesses,
  nextWitnesses,
  NO_WITNESSES,
  withoutDeparted,
  type Witnesses,
} from "../rules/witnesses.ts";
import { after, type Answer, whileTrue } from "./answers.ts";

/** The reads of a store that `listChanged` is made of. Each sees what was committed before it began, or more. */
export interface ChangeMoves {
  /** An owner's departures after a mark, and the newest mark. Through an index. */
  selectDepartures(query: DeparturesQuery): Answer<DeparturesPage>;
  /** The positions of all of an owner's live runs. Through an index. */
  selectLive(scope: ChangedScope): Answer<readonly LivePosition[]>;
  /** The heads of the runs that exist, in any order. `runIds` has each once, 16 at most, ascending. */
  selectHeads(runIds: readonly string[]): Answer<readonly RunRecord[]>;
}

/** How many heads are read at once, and after how many bytes of metadata an answer ends. */
const HEADS_AT_ONCE = 16;
const MOST_METADATA = 1_048_576;

/**
 * An owner's changed runs: first the departures after the cursor, then the live runs that the reader does not have.
 *
 * The mark for the next request is taken before the live runs are read. So a run that ends in between is either still live here, or
 * departs after the mark. What changes meanwhile may come twice, and is never left out.
 * @see clause S29 in `STORE.md`
 */
export function changedWork(query: ChangedQuery): (moves: ChangeMoves) => Answer<ChangedRuns> {
  const { ownerId, topic = null, since, limit } = query;
  const scope = { ownerId, topic };
  return (moves) => {
    const cursor = cursorFor(since, scope);
    const asked = { ...scope, since: cursor?.mark ?? null, limit };
    return after(moves.selectDepartures(asked), (page) => {
      const isKnown = cursor !== null && page.isKnown && !isOver(cursor, page.nowMs);
      return new ChangedAnswer(moves, scope, limit, isKnown ? cursor : null, page).make();
    });
  };
}

/** The groups of live runs that the reader has after an answer. */
class TakenGroups {
  /** The digests of the runs as the reader has them. */
  readonly digests = new Map<number, number>();
  /** The digests of the runs as they were when the answer was planned. */
  readonly #planned = new Map<number, number>();
  /** The runs of the groups that the reader has as they are now. Groups of which it has only a part are not among them. */
  readonly live: LivePosition[] = [];
  /** Whether the reader has all runs of a group, but an older state of one. */
  isBehind = false;

  constructor(same: readonly LiveGroup[]) {
    for (const { group, digest, runs } of same) {
      this.digests.set(group, digest);
      this.live.push(...runs);
    }
  }

  /** The reader has a part of this group from an answer before. */
  begin({ group }: LiveGroup, digest: number): void {
    this.digests.set(group, digest);
    this.#planned.set(group, digest);
  }

  /**
   * Adds runs of a group that the reader gets. If one that it got before has changed since, the digest differs from that of the group, and
   * the group comes again.
   * @param part the runs, as they were when the answer was planned
   * @param heads those of the runs that were still live when they were read, which was later
   * @param isWhole whether these are the last runs of the group
   */
  add(
    { group, digest, runs }: LiveGroup,
    part: readonly LivePosition[],
    heads: readonly LivePosition[],
    isWhole: boolean,
  ): void {
    const planned = addToDigest(this.#planned.get(group) ?? 0, part);
    this.#planned.set(group, planned);
    this.digests.set(group, addToDigest(this.digests.get(group) ?? 0, heads));
    if (planned === digest) this.live.push(...runs);
    else this.isBehind ||= isWhole;
  }
}

/** The runs of a group that the reader still has to get, in the order of their ordinals. */
function runsAfter(
  { group, runs }: LiveGroup,
  { first, part }: Pick<ChangeCursor, "first" | "part">,
): readonly LivePosition[] {
  const rest = group === first ? runs.filter(({ ordinal }) => ordinal > part) : runs;
  return rest.toSorted((a, b) => a.ordinal - b.ordinal);
}

/** One answer while it is made. */
class ChangedAnswer {
  readonly #moves: ChangeMoves;
  readonly #scope: ChangedScope;
  readonly #limit: number;
  readonly #cursor: ChangeCursor | null;
  readonly #page: DeparturesPage;
  readonly #runs = new Map<string, RunRecord>();
  readonly #gone = new Set<string>();
  /** The witnesses of the cursor that have not departed since. */
  #witnesses: Witnesses;
  #metadata = 0;

  constructor(
    moves: ChangeMoves,
    scope: ChangedScope,
    limit: number,
    cursor: ChangeCursor | null,
    page: DeparturesPage,
  ) {
    this.#moves = moves;
    this.#scope = scope;
    this.#limit = limit;
    this.#cursor = cursor;
    this.#page = page;
    this.#witnesses = cursor?.witnesses ?? NO_WITNESSES;
  }

  make(): Answer<ChangedRuns> {
    const { departures } = this.#page;
    const cursor = this.#cursor;
    if (cursor === null || departures.length === 0) return this.#takeLive();
    const runIds = [...new Set(departures.map(({ runId }) => runId))];
    const [last] = departures.slice(-1);
    return after(this.#takeHeads(runIds), (taken) => {
      // The departures of a run that was taken before are no longer needed.
      const rest = departures.findIndex(({ runId }) => runIds.indexOf(runId) >= taken);
      const mark = rest === -1 ? last?.mark : departures[rest - 1]?.mark;
      const isAll = rest === -1 && !this.#page.hasMore;
      this.#witnesses = withoutDeparted(this.#witnesses, runIds.slice(0, taken));
      if (isAll) return this.#takeLive();
      const witnesses = this.#witnesses;
      // The cursor keeps its time: the departures after the mark may be as old as it.
      return this.#answer({ ...cursor, witnesses, mark: mark ?? "", hasMore: true }, []);
    });
  }

  /** Takes the live runs that the reader does not have. If the store has lost a run that the reader has, it takes all live runs. */
  #takeLive(): Answer<ChangedRuns> {
    return after(this.#moves.selectLive(this.#scope), (live) => {
      const positions = live.toSorted((a, b) => b.ordinal - a.ordinal);
      const witnesses = findWitnesses(this.#witnesses, positions);
      if (witnesses !== null) return this.#takeGroups(positions, witnesses);
      const over = new ChangedAnswer(this.#moves, this.#scope, this.#limit, null, this.#page);
      return over.#takeGroups(positions, NO_WITNESSES);
    });
  }

  /** Takes the groups in turns, until the answer is full. Of a group that does not fit, it takes only the first runs, by their ordinals. */
  #takeGroups(positions: readonly LivePosition[], witnesses: Witnesses): Answer<ChangedRuns> {
    const { digests: known = new Map<number, number>(), first = 0, part = 0 } = this.#cursor ?? {};
    const { changed, same } = planLive(known, positions, first);
    const taken = new TakenGroups(same);
    let next = 0;
    let goOn = { first, part: 0 };
    const [begun] = changed;
    if (begun?.group === first && part > 0) {
      goOn = { first, part };
      taken.begin(begun, known.get(first) ?? 0);
    }
    const steps = whileTrue(() => {
      const group = changed[next];
      if (group === undefined || this.#isFull()) return false;
      const rest = runsAfter(group, goOn);
      return after(this.#takeHeads(rest.map(({ runId }) => runId)), (count) => {
        const part = rest.slice(0, count);
        const isWhole = count === rest.length;
        taken.add(group, part, this.#liveHeads(part), isWhole);
        goOn = isWhole
          ? { first: (group.group + 1) % LIVE_GROUPS, part: 0 }
          : { first: group.group, part: part.at(-1)?.ordinal ?? 0 };
        if (isWhole) next += 1;
        return isWhole;
      });
    });
    return after(steps, () => {
      const { digests, live, isBehind } = taken;
      const { nowMs: atMs, mark } = this.#page;
      const had = new Set([...live.map(({ runId }) => runId), ...this.#runs.keys()]);
      const kept = nextWitnesses(witnesses, positions, ({ runId }) => had.has(runId));
      // The next answer shows whether the missing witnesses have departed.
      const hasMore = isBehind || next < changed.length || kept.missing.length > 0;
      return this.#answer({ atMs, ...goOn, digests, witnesses: kept, mark, hasMore }, live);
    });
  }

  #isFull(): boolean {
    return this.#room() === 0 || this.#metadata > MOST_METADATA;
  }

  /** How many more runs fit. */
  #room(): number {
    return Math.max(0, this.#limit - this.#runs.size - this.#gone.size);
  }

  /**
   * Takes the runs as they are now, until the answer is full. A run that does not exist any more is gone.
   * @returns how many of the ids were taken
   */
  #takeHeads(runIds: readonly string[]): Answer<number> {
    let taken = 0;
    const steps = whileTrue(() => {
      if (this.#isFull()) return false;
      const piece = runIds.slice(taken, taken + Math.min(HEADS_AT_ONCE, this.#room()));
      if (piece.length === 0) return false;
      taken += piece.length;
      return after(this.#moves.selectHeads(piece.toSorted()), (heads) => {
        this.#take(piece, heads);
        return true;
      });
    });
    return after(steps, () => taken);
  }

  /** The heads, as they were taken, of those of these runs that are live. */
  #liveHeads(part: readonly LivePosition[]): readonly RunRecord[] {
    return part.flatMap(({ runId, ordinal }) => {
      const head = this.#runs.get(runId);
      return head?.ordinal === ordinal && !isTerminal(head.runStatus) ? [head] : [];
    });
  }

  #take(runIds: readonly string[], heads: readonly RunRecord[]): void {
    const { ownerId, topic } = this.#scope;
    const found = new Map(heads.map((head) => [head.runId, head]));
    for (const runId of runIds) {
      const head = found.get(runId);
      // A run may be read twice, and removed or created again in between.
      this.#gone.delete(runId);
      this.#runs.delete(runId);
      // The id may have been used again: by another owner, or for another topic.
      if (head?.ownerId === ownerId && (topic === null || head.topic === topic)) {
        this.#runs.set(runId, recordOf(head));
        this.#metadata += head.metadata.length;
      } else {
        this.#gone.add(runId);
      }
    }
  }

  #answer(
    next: Omit<ChangeCursor, "scope"> & { readonly hasMore: boolean },
    live: readonly LivePosition[],
  ): ChangedRuns {
    const { hasMore, ...cursor } = next;
    return {
      isReset: this.#cursor === null,
      runs: [...this.#runs.values()],
      gone: [...this.#gone],
      live,
      cursor: encodeChangeCursor({ ...cursor, scope: scopeOf(this.#scope) }),
      hasMore,
    };
  }
}
