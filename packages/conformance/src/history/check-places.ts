import { isTerminal } from "@tm/run-events-core";
import type {
  AppendOperation,
  CreateOperation,
  History,
  Operation,
  Violation,
} from "./operation.ts";
import { violation } from "./placed-batches.ts";

/** When a run may have had the place of its topic. */
interface Tenancy {
  readonly runId: string;
  /** The call that created it. */
  readonly created: CreateOperation;
  /** From when on it may have ended; `Infinity` if it has not. */
  readonly mayEndAt: number;
  /** By when it had ended; `Infinity` if that is not certain. */
  readonly endedAt: number;
}

/** The runs that a client created, as the answers show. */
export function startedIn(operations: readonly Operation[]): readonly string[] {
  return operations.filter(isCreated).map(({ runId }) => runId);
}

/**
 * Whether each creation of an exclusive run was right: each run is created once, no two of a topic were live at once, and none was refused
 * for a run that was not live.
 * @see clauses S16 and S21 in `STORE.md`
 */
export function checkPlaces({ operations, logs }: History): Violation | null {
  const creations = operations.filter((one): one is CreateOperation => one.kind === "create");
  const ofTopics = Map.groupBy(creations, ({ topic }) => topic).values();
  for (const ofTopic of ofTopics) {
    const byRun = Map.groupBy(ofTopic.filter(isCreated), ({ runId }) => runId);
    for (const [runId, created] of byRun) {
      if (created.length > 1) return violation("S16", `${runId} was created twice`, created);
    }
    const wrong = wrongUnborn(ofTopic, byRun) ?? wrongTenancies(ofTopic, { operations, logs });
    if (wrong !== null) return wrong;
  }
  return null;
}

function isCreated(one: Operation): one is CreateOperation {
  return one.kind === "create" && one.result.outcome === "created";
}

/** A run that was there for one call, and that no call has created. */
function wrongUnborn(
  creations: readonly CreateOperation[],
  byRun: ReadonlyMap<string, unknown>,
): Violation | null {
  const met = creations.find(
    ({ runId, result }) =>
      ["existing", "claimed", "finished"].includes(result.outcome) &&
      !byRun.has(runId) &&
      !creations.some((one) => one.runId === runId && one.result.outcome === "unknown"),
  );
  return met === undefined
    ? null
    : violation("S21", `${met.runId} was there, but no call was answered that it created it`, [
        met,
      ]);
}

function wrongTenancies(
  creations: readonly CreateOperation[],
  { operations, logs }: History,
): Violation | null {
  const tenancies = creations
    .filter(isCreated)
    .map((created) => tenancyOf(created, operations, logs));
  for (const [at, one] of tenancies.entries()) {
    for (const other of tenancies.slice(at + 1)) {
      if (mayFollow(one, other) || mayFollow(other, one)) continue;
      const calls = [one.created, other.created];
      const both = `${one.runId} and ${other.runId}`;
      return violation("S21", `${both}, exclusive runs of one topic, were live at once`, calls);
    }
  }
  for (const refused of creations) {
    const { result } = refused;
    if (
      result.outcome !== "topic_busy" ||
      mayBeLive(result.holder, refused, creations, tenancies)
    ) {
      continue;
    }
    return violation("S21", `a creation was refused for ${result.holder}, which was not live`, [
      refused,
    ]);
  }
  return null;
}

function tenancyOf(
  created: CreateOperation,
  operations: readonly Operation[],
  logs: History["logs"],
): Tenancy {
  const { runId } = created;
  const last = logs.get(runId)?.at(-1);
  if (last === undefined || !isTerminal(last.runStatus)) {
    return { runId, created, mayEndAt: Infinity, endedAt: Infinity };
  }
  const sent = operations.filter(
    (one): one is AppendOperation =>
      one.kind === "append" && one.runId === runId && one.ids.includes(last.id),
  );
  const acknowledged = sent.filter(({ result }) => "firstSequence" in result);
  return {
    runId,
    created,
    mayEndAt: Math.min(...sent.map(({ begunAt }) => begunAt)),
    endedAt: Math.min(...acknowledged.map(({ endedAt }) => endedAt ?? Infinity)),
  };
}

/** Whether the other may have been created after this one had ended. */
function mayFollow({ mayEndAt }: Tenancy, other: Tenancy): boolean {
  return mayEndAt < (other.created.endedAt ?? Infinity);
}

function mayBeLive(
  runId: string,
  { begunAt, endedAt }: CreateOperation,
  creations: readonly CreateOperation[],
  tenancies: readonly Tenancy[],
): boolean {
  const until = endedAt ?? Infinity;
  const tenancy = tenancies.find((one) => one.runId === runId);
  if (tenancy !== undefined) return tenancy.created.begunAt < until && tenancy.endedAt > begunAt;
  return creations.some(
    (one) => one.runId === runId && one.result.outcome === "unknown" && one.begunAt < until,
  );
}
