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
import { addToDigest, LIVE_GROUPS, type LiveGroup, planLive } from "../rules/live-groups.ts";
import { recordOf } from "../rules/plan-lease.ts";
import type { RunPosition, RunRecord } from "../rules/run.ts";
import { after, type Answer, whileTrue } from "./answers.ts";

/** The reads of a store that `listChanged` is made of. Each sees what was committed before it began, or more. */
export interface ChangeMoves {
  /** An owner's departures after a mark, and the newest mark. Through an index. */
  selectDepartures(query: DeparturesQuery): Answer<DeparturesPage>;
  /** The positions of all of an owner's live runs. Through an index. */
  selectLive(scope: ChangedScope): Answer<readonly RunPosition[]>;
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

/** The groups that the reader has with an answer. */
class TakenGroups {
  readonly digests = new Map<number, number>();
  /** The runs of the groups that it has as they are now. Of a part of a group it is not known what it has. */
  readonly live: RunPosition[] = [];
  /** Whether it has all runs of a group, but one of them as it was before. */
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
  }

  /**
   * The reader gets these runs of a group. If one that it got before has changed since, the digest is another one than the group's, and
   * the group comes again.
   * @param isWhole whether these are the last ones of the group
   */
  add({ group, digest, runs }: LiveGroup, part: readonly RunPosition[], isWhole: boolean): void {
    const has = addToDigest(this.digests.get(group) ?? 0, part);
    this.digests.set(group, has);
    if (has === digest) this.live.push(...runs);
    else this.isBehind ||= isWhole;
  }
}

/** The runs of a group that the reader still has to get, in the order of their ordinals. */
function runsAfter(
  { group, runs }: LiveGroup,
  { first, part }: Pick<ChangeCursor, "first" | "part">,
): readonly RunPosition[] {
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
      if (isAll) return this.#takeLive();
      // The cursor keeps its time: the departures after the mark may be as old as it.
      return this.#answer({ ...cursor, mark: mark ?? "", hasMore: true }, []);
    });
  }

  /** Takes the groups in turns, until the answer is full. Of a group that does not fit, it takes the runs of lower ordinals first. */
  #takeLive(): Answer<ChangedRuns> {
    const { digests: known = new Map<number, number>(), first = 0, part = 0 } = this.#cursor ?? {};
    return after(this.#moves.selectLive(this.#scope), (positions) => {
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
          taken.add(group, part, isWhole);
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
        return this.#answer(
          { atMs, ...goOn, digests, mark, hasMore: isBehind || next < changed.length },
          live,
        );
      });
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
    live: readonly RunPosition[],
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
