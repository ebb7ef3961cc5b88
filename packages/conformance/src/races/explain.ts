import { BrokenClause } from "../assert.ts";
import { emptyModel, type ModelRun, type StoreModel } from "../model/run-model.ts";
import type { RaceOperation } from "./operation.ts";

/** The length of the end of the longest order found that a message shows. */
const SHOWN = 12;

/** @throws BrokenClause if no order of the operations explains their answers */
export function requireOrder(clause: string, operations: readonly RaceOperation[]): void {
  const unexplained = findUnexplained(operations);
  if (unexplained !== null) throw new BrokenClause(clause, unexplained);
}

/**
 * Looks for an order of operations that explains every answer: one in which none comes before another that had ended when it began,
 * and in which the model, asked one after the other, answers the same. One that was not answered may be anywhere after its beginning, or
 * nowhere. Runs are independent but for those that share a topic, so each has an order of its own.
 * @returns `null` if there is one; else why not, from the longest beginning of an order that was found
 */
export function findUnexplained(operations: readonly RaceOperation[]): string | null {
  for (const group of independentOf(operations)) {
    const why = new OrderSearch(group).find();
    if (why !== null) return why;
  }
  return null;
}

/** The operations about the same runs. */
function independentOf(operations: readonly RaceOperation[]): Iterable<readonly RaceOperation[]> {
  const linked = new Map<string, string>();
  const groupOf = (name: string): string => {
    const next = linked.get(name);
    return next === undefined ? name : groupOf(next);
  };
  for (const { runId, topic } of operations) {
    if (topic === undefined || topic === null) continue;
    const [one, other] = [groupOf(`run ${runId}`), groupOf(`topic ${topic}`)];
    if (one !== other) linked.set(one, other);
  }
  return Map.groupBy(operations, ({ runId }) => groupOf(`run ${runId}`)).values();
}

/** The beginning of an order. */
interface Beginning {
  readonly order: readonly RaceOperation[];
  readonly model: StoreModel;
  /** The operations that were sent twice, and have had their first effect. */
  readonly doubled: ReadonlySet<RaceOperation>;
}

/** A possible effect: of an operation without an answer, or the first one of an operation that was sent twice. */
interface Doubt {
  readonly one: RaceOperation;
  readonly judge: RaceOperation["judge"];
  readonly isFirst: boolean;
}

class OrderSearch {
  /** The earliest answer first, which is mostly the right order. */
  readonly #operations: readonly RaceOperation[];
  /** The operations that were done, and the state that they left, on which alone the rest depends. */
  readonly #tried = new Set<string>();
  /** Runs as text: most stay as they are from one operation to the next. */
  readonly #states = new WeakMap<ModelRun, string>();
  #longest: readonly RaceOperation[] = [];
  /** Why nothing can follow the longest. */
  #reasons: readonly string[] = [];

  constructor(operations: readonly RaceOperation[]) {
    this.#operations = operations.toSorted((a, b) => a.endedAt - b.endedAt);
  }

  find(): string | null {
    const isFound = this.#canFinish({ order: [], model: emptyModel(), doubled: new Set() });
    return isFound ? null : this.#describe();
  }

  #canFinish(beginning: Beginning): boolean {
    const { order, model } = beginning;
    const { done, possible, isOver } = this.#nextOf(beginning);
    if (isOver) return true;
    if (!this.#isNew(beginning, done)) return false;
    const answered = possible.filter(({ endedAt }) => endedAt !== Infinity);
    const refused: RaceOperation[] = [];
    const reasons: string[] = [];
    for (const one of answered) {
      const next = after(model, one);
      if (next instanceof Error) {
        refused.push(one);
        reasons.push(`${lineOf(one)}: ${next.message}`);
      } else if (this.#canFinish({ ...beginning, order: [...order, one], model: next }))
        return true;
    }
    // An effect in doubt may come later, unless the next answer does not fit without it.
    if (refused.some((one) => this.#canFollow(one, beginning))) return true;
    if (reasons.length > 0 && order.length >= this.#longest.length) {
      this.#longest = order;
      this.#reasons = reasons;
    }
    return false;
  }

  /** The operations that may come next, since none of those left had ended before they began. */
  #nextOf({ order }: Beginning): {
    readonly done: ReadonlySet<RaceOperation>;
    readonly possible: readonly RaceOperation[];
    readonly isOver: boolean;
  } {
    const done = new Set(order);
    const left = this.#operations.filter((one) => !done.has(one));
    const firstEnd = left[0]?.endedAt ?? Infinity;
    const possible = left.filter(
      ({ begunAt, after }) => begunAt <= firstEnd && (after === null || done.has(after)),
    );
    return { done, possible, isOver: firstEnd === Infinity };
  }

  /** Whether an operation fits once some of what is in doubt has had its effect, and the others fit then. */
  #canFollow(one: RaceOperation, beginning: Beginning): boolean {
    // Each effect may make another possible: of two appends in one call, the second.
    for (const doubt of doubtsOf(this.#nextOf(beginning).possible, beginning)) {
      const model = copyFor(doubt.one.runId, beginning.model);
      doubt.judge(model);
      if (this.#stateOf(model) === this.#stateOf(beginning.model)) continue;
      const order = doubt.isFirst ? beginning.order : [...beginning.order, doubt.one];
      const doubled = doubt.isFirst
        ? new Set([...beginning.doubled, doubt.one])
        : beginning.doubled;
      const next = after(model, one);
      if (next instanceof Error) {
        if (this.#canFollow(one, { order, model, doubled })) return true;
      } else if (this.#canFinish({ order: [...order, one], model: next, doubled })) return true;
    }
    return false;
  }

  /** Whether what follows was not looked at yet. */
  #isNew({ model, doubled }: Beginning, done: ReadonlySet<RaceOperation>): boolean {
    const reached = this.#operations.map((one) => (done.has(one) ? 2 : Number(doubled.has(one))));
    const key = `${reached.join("")} ${this.#stateOf(model)}`;
    if (this.#tried.has(key)) return false;
    this.#tried.add(key);
    return true;
  }

  #stateOf({ runs, deletedFences }: StoreModel): string {
    const states = [...runs.values()].map((run) => this.#states.get(run) ?? this.#keep(run));
    return [...states.toSorted(), JSON.stringify([...deletedFences])].join(" ");
  }

  #keep(run: ModelRun): string {
    const state = JSON.stringify({ ...run, keys: [...run.keys] });
    this.#states.set(run, state);
    return state;
  }

  #describe(): string {
    const left = this.#longest.length - SHOWN;
    return [
      "no order of the calls explains their answers. At most these can come first:",
      ...(left > 0 ? [`  … ${left} calls`] : []),
      ...this.#longest.slice(-SHOWN).map((one) => `  ${lineOf(one)}`),
      "Then none of these fits:",
      ...this.#reasons.map((reason) => `  ${reason}`),
    ].join("\n");
  }
}

function lineOf({ client, text, begunAt, endedAt }: RaceOperation): string {
  const until = endedAt === Infinity ? "never answered" : `to ${endedAt}`;
  return `client ${client}, ${begunAt} ${until}: ${text}`;
}

/** The model after an operation, or why it answers otherwise. */
function after(model: StoreModel, { runId, judge }: RaceOperation): StoreModel | Error {
  const next = copyFor(runId, model);
  try {
    judge(next);
    return next;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function doubtsOf(possible: readonly RaceOperation[], { doubled }: Beginning): readonly Doubt[] {
  return possible.flatMap((one): Doubt[] => {
    if (one.endedAt === Infinity) return [{ one, judge: one.judge, isFirst: false }];
    return one.judgeFirst === null || doubled.has(one)
      ? []
      : [{ one, judge: one.judgeFirst, isFirst: true }];
  });
}

/** A copy for an operation on this run: nothing that it does changes another. */
function copyFor(runId: string, { runs, deletedFences }: StoreModel): StoreModel {
  const copied = [...runs].map(([key, run]) =>
    run.record.runId === runId ? ([key, copyOf(run)] as const) : ([key, run] as const),
  );
  // Calls that overlap may get their ordinals in any order.
  return { ...emptyModel(), runs: new Map(copied), deletedFences: new Map(deletedFences) };
}

function copyOf({ record, lease, events, keys }: ModelRun): ModelRun {
  return { record, lease, events: events.map((kept) => ({ ...kept })), keys: new Map(keys) };
}
