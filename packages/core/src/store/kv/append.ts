import { type Plain, type PlainLanding, takePlain } from "../../rules/append-rule.ts";
import type { Decision, NewReceipt, Seen } from "../../rules/decision.ts";
import { inDoubt } from "../../rules/errors.ts";
import type { NewEvent } from "../../rules/event.ts";
import { nameKey } from "../../rules/head.ts";
import { eventBytes } from "../../rules/page.ts";
import type { Change, StoreCapabilities } from "../store.ts";

/** A plain append or renewal, by its index in the call. */
interface Asked {
  readonly index: number;
  readonly plain: Plain;
}

/** Where the first of a run's plain ones land. */
interface Landed {
  readonly landings: readonly PlainLanding[];
  /** Whether the next one is not plain: then neither are those after it. */
  readonly isOver: boolean;
}

type Limits = Pick<StoreCapabilities, "mostEvents" | "mostBytes">;

/**
 * Makes plain appends and renewals, those of one run by one decision, as far as a commit can hold them.
 * @param change the contract's `change`
 */
export async function appendPlains(
  plains: readonly Plain[],
  limits: Limits,
  change: (changes: readonly Change<Landed>[]) => Promise<readonly Landed[]>,
): Promise<readonly (PlainLanding | null)[]> {
  const answers = plains.map((): PlainLanding | null => null);
  const all = plains.map((plain, index) => ({ index, plain }));
  let left = [...Map.groupBy(all, ({ plain }) => nameKey(plain)).values()];
  while (left.length > 0) {
    const changes = left.map((run) => plainChange(run, limits));
    const landed = await change(changes).catch((error: unknown) => {
      throw answers.some((answer) => answer !== null) ? inDoubt(error) : error;
    });
    left = left.flatMap((run, at) => {
      const { landings = [], isOver = true } = landed[at] ?? {};
      landings.forEach((landing, of) => {
        const index = run[of]?.index;
        if (index !== undefined) answers[index] = landing;
      });
      const next = run.slice(landings.length);
      return isOver || next.length === 0 ? [] : [next];
    });
  }
  return answers;
}

function plainChange(run: readonly Asked[], limits: Limits): Change<Landed> {
  const { ownerId = "", runId = "" } = run[0]?.plain ?? {};
  const keys = run.flatMap(({ plain }) => plain.idempotencyKey ?? []);
  let isFirst = true;
  return {
    ownerId,
    runId,
    /** At first no receipt is read: a key is mostly new, and a commit checks that. */
    get keys() {
      return isFirst ? [] : keys;
    },
    decide(seen) {
      isFirst = false;
      return decidePlains(run, seen, limits);
    },
  };
}

function decidePlains(
  run: readonly Asked[],
  { head: before, receipts: known, nowMs }: Seen,
  { mostEvents, mostBytes }: Limits,
): Decision<Landed> {
  let head = before;
  const landings: PlainLanding[] = [];
  const events: NewEvent[] = [];
  const receipts = new Map<string, NewReceipt>();
  let bytes = 0;
  let isOver = false;
  for (const { plain } of run) {
    const { idempotencyKey } = plain;
    const key = idempotencyKey ?? "";
    const isKnown = known.has(key) || receipts.has(key);
    const taken = isKnown ? null : takePlain(head, plain, nowMs);
    isOver = taken === null;
    if (taken === null) break;
    bytes += plain.events.reduce((sum, { payload }) => sum + eventBytes(3 * payload.length), 0);
    // What does not fit is for the next commit. One that does not fit by itself is refused there.
    if (landings.length > 0 && (landings.length >= mostEvents || bytes > mostBytes)) break;
    head = taken.after;
    landings.push(taken.landing);
    events.push(...plain.events);
    if (idempotencyKey !== null) receipts.set(key, { idempotencyKey, ...taken.landing });
  }
  const answer = { landings, isOver };
  if (landings.length === 0 || head === null) return { answer };
  return { answer, after: head, events, receipts: [...receipts.values()] };
}
