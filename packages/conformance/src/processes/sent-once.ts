import type {
  AppendOperation,
  CreateOperation,
  LeaseOperation,
  Operation,
} from "../history/operation.ts";

const UNKNOWN = { outcome: "unknown" } as const;
/** The refusals that a call may meet when a driver sends it again after it has landed. A renewal that has landed is granted again. */
const DOUBTED: Readonly<Record<LeaseOperation["asks"], readonly string[]>> = {
  claim: ["claimed", "finished"],
  renew: [],
  release: ["fenced", "finished"],
};
/** The answers to a creation that show that the run exists. */
const EXISTED: readonly string[] = ["existing", "claimed", "finished"];

/**
 * The calls of a time in which connections broke, as if no driver had sent one of them again by itself. A call that is sent again meets
 * what it did the first time, and its answer says so.
 */
export function asSentOnce(operations: readonly Operation[]): readonly Operation[] {
  return doubtRefusals(createOnce(landOnce(operations)));
}

/** A call may have been refused by what it had done before: by its own lease or release, or by the end of the run after that. */
function doubtRefusals(operations: readonly Operation[]): readonly Operation[] {
  return operations.map((one) =>
    one.kind === "lease" && DOUBTED[one.asks].includes(one.result.outcome)
      ? { ...one, result: UNKNOWN }
      : one,
  );
}

/** If no answer shows that a run was created, the first call that it was there for has created it. */
function createOnce(operations: readonly Operation[]): readonly Operation[] {
  const creations = operations.filter((one): one is CreateOperation => one.kind === "create");
  const first = new Set<Operation | undefined>();
  for (const ofRun of Map.groupBy(creations, ({ runId }) => runId).values()) {
    if (ofRun.some(({ result }) => ["created", "unknown"].includes(result.outcome))) continue;
    first.add(ofRun.find(({ result }) => EXISTED.includes(result.outcome)));
  }
  return operations.map((one) =>
    one.kind === "create" && first.has(one) ? { ...one, result: { outcome: "created" } } : one,
  );
}

/**
 * If no answer shows that a batch was appended, it was by a call that was answered that it was replayed: one that had begun
 * before any was answered.
 */
function landOnce(operations: readonly Operation[]): readonly Operation[] {
  const appends = operations.filter((one): one is AppendOperation => one.kind === "append");
  const settled = new Map<Operation, AppendOperation>();
  for (const sent of Map.groupBy(appends, ({ runId, ids }) => `${runId} ${ids[0]}`).values()) {
    if (sent.some(({ result }) => ["appended", "unknown"].includes(result.outcome))) continue;
    const known = sent.filter(({ result }) => ["replayed", "failed"].includes(result.outcome));
    const firstEnd = Math.min(...known.map(({ endedAt }) => endedAt ?? Infinity));
    const possible = known.filter(({ begunAt }) => begunAt < firstEnd);
    for (const one of possible) {
      if (one.result.outcome !== "replayed") continue;
      const isSure = possible.length === 1;
      const result = isSure ? ({ ...one.result, outcome: "appended" } as const) : UNKNOWN;
      settled.set(one, { ...one, result });
    }
  }
  return operations.map((one) => settled.get(one) ?? one);
}
