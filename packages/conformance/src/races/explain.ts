import type { ModelRun, StoreModel } from "../model/run-model.ts";
import type { RaceOperation } from "./operation.ts";

/**
 * Looks for an order of operations that explains every answer: one in which none comes before another that had ended when it began,
 * and in which the model, asked one after the other, answers the same.
 * @returns `null` if there is one; else why not, from the longest beginning of an order that was found
 */
export function findUnexplained(operations: readonly RaceOperation[]): string | null {
  return new OrderSearch(operations).find();
}

/** The beginning of an order. */
interface Beginning {
  readonly order: readonly RaceOperation[];
  readonly model: StoreModel;
}

class OrderSearch {
  readonly #operations: readonly RaceOperation[];
  /** Which operations were done and what they left: what follows depends on nothing else. */
  readonly #tried = new Set<string>();
  #longest: readonly RaceOperation[] = [];
  /** Why nothing can follow the longest. */
  #reasons: readonly string[] = [];

  constructor(operations: readonly RaceOperation[]) {
    this.#operations = operations;
  }

  find(): string | null {
    return this.#canFinish({ order: [], model: emptyModel() }) ? null : this.#describe();
  }

  #canFinish({ order, model }: Beginning): boolean {
    const done = new Set(order);
    const left = this.#operations.filter((one) => !done.has(one));
    if (left.length === 0) return true;
    const reached = this.#operations.map((one) => (done.has(one) ? "1" : "0")).join("");
    const key = `${reached} ${stateOf(model)}`;
    if (this.#tried.has(key)) return false;
    this.#tried.add(key);
    const reasons: string[] = [];
    const firstEnd = Math.min(...left.map(({ endedAt }) => endedAt));
    for (const one of left) {
      if (one.begunAt > firstEnd || (one.after !== null && !done.has(one.after))) continue;
      const next = cloneModel(model);
      try {
        one.judge(next);
      } catch (error) {
        reasons.push(`${lineOf(one)}: ${error instanceof Error ? error.message : String(error)}`);
        continue;
      }
      if (this.#canFinish({ order: [...order, one], model: next })) return true;
    }
    if (reasons.length > 0 && order.length >= this.#longest.length) {
      this.#longest = order;
      this.#reasons = reasons;
    }
    return false;
  }

  #describe(): string {
    return [
      "no order of the calls explains their answers. At most these can come first:",
      ...this.#longest.map((one) => `  ${lineOf(one)}`),
      "Then none of these fits:",
      ...this.#reasons.map((reason) => `  ${reason}`),
    ].join("\n");
  }
}

function lineOf({ client, text, begunAt, endedAt }: RaceOperation): string {
  return `client ${client}, ${begunAt} to ${endedAt}: ${text}`;
}

function emptyModel(): StoreModel {
  return { runs: new Map(), lastOrdinals: new Map(), deletedFences: new Map() };
}

function cloneModel({ runs, deletedFences }: StoreModel): StoreModel {
  const cloned = [...runs].map(([runId, run]) => [runId, cloneRun(run)] as const);
  // Calls that overlap may get their ordinals in any order.
  return { ...emptyModel(), runs: new Map(cloned), deletedFences: new Map(deletedFences) };
}

function cloneRun({ record, lease, events, keys }: ModelRun): ModelRun {
  return { record, lease, events: events.map((kept) => ({ ...kept })), keys: new Map(keys) };
}

function stateOf({ runs, deletedFences }: StoreModel): string {
  const all = [...runs.values()].map(({ keys, ...run }) => ({ ...run, keys: [...keys] }));
  all.sort((a, b) => (a.record.runId < b.record.runId ? -1 : 1));
  return JSON.stringify([all, [...deletedFences]]);
}
