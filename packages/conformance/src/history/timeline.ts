import type {
  AppendOperation,
  History,
  LeaseOperation,
  Operation,
  Violation,
} from "./operation.ts";

/** How many calls of others are shown around those that show the violation. */
const MOST_SHOWN = 24;
const COLUMN_GAP = 2;

/**
 * Draws a history as text: a column for each client and a line for each instant, the oldest first. The calls that show the
 * violation have a star. Of a long history it draws only the calls around them.
 */
export function drawTimeline(
  { operations }: Pick<History, "operations">,
  found: Violation,
): string {
  const shown = chooseOperations(operations, found);
  const clients = [...new Set(shown.map(({ client }) => client))].toSorted();
  const instants = shown
    .flatMap((one) => instantsOf(one, found.operations.includes(one)))
    .toSorted((a, b) => a.at - b.at);
  const widths = clients.map((client) =>
    Math.max(...instants.filter((one) => one.client === client).map(({ text }) => text.length)),
  );
  const width = String(instants.length).length;
  const line = (number: string, cells: readonly string[]): string =>
    [number.padStart(width), ...cells.map((cell, index) => cell.padEnd(widths[index] ?? 0))]
      .join(" ".repeat(COLUMN_GAP))
      .trimEnd();
  return [
    line(
      "",
      clients.map((client) => `client ${client}`),
    ),
    ...instants.map(({ client, text }, index) =>
      line(
        String(index + 1),
        clients.map((one) => (one === client ? text : "")),
      ),
    ),
  ].join("\n");
}

/** Those that show it, and the others of their run that are nearest to them. */
function chooseOperations(
  operations: readonly Operation[],
  found: Violation,
): readonly Operation[] {
  const runIds = new Set(found.operations.map(({ runId }) => runId));
  const ofRun = operations.filter(({ runId }) => runIds.size === 0 || runIds.has(runId));
  const from = Math.min(...found.operations.map(({ begunAt }) => begunAt));
  const to = Math.max(...found.operations.map(({ begunAt, endedAt }) => endedAt ?? begunAt));
  const distance = ({ begunAt, endedAt }: Operation): number =>
    Math.max(0, from - (endedAt ?? Infinity), begunAt - to);
  return [
    ...new Set([
      ...found.operations,
      ...ofRun.toSorted((a, b) => distance(a) - distance(b)).slice(0, MOST_SHOWN),
    ]),
  ];
}

interface Instant {
  readonly client: string;
  readonly at: number;
  readonly text: string;
}

function instantsOf(operation: Operation, isStarred: boolean): readonly Instant[] {
  const { client, begunAt, endedAt } = operation;
  const star = isStarred ? "*" : " ";
  const begin = { client, at: begunAt, text: `${star}${describeCall(operation)}` };
  if (endedAt === null) return [begin];
  return [begin, { client, at: endedAt, text: `${star}= ${describeAnswer(operation)}` }];
}

function describeCall(operation: Operation): string {
  if (operation.kind === "lease") return describeLease(operation);
  if (operation.kind === "create") return `create ${operation.runId}`;
  if (operation.kind === "read") {
    return operation.ids.length === 0 && operation.since === operation.lastSequence
      ? "read the head"
      : `read after ${operation.since}`;
  }
  const { ids, idempotencyKey, expectedSequence, fence } = operation;
  const conditions = [
    fence === null ? "" : ` fence ${fence}`,
    idempotencyKey === null ? "" : ` key ${idempotencyKey}`,
    expectedSequence === null ? "" : ` expects ${expectedSequence}`,
  ];
  return `append ${namesOf(ids)}${conditions.join("")}`;
}

function describeLease({ asks, fence, leaseMs }: LeaseOperation): string {
  return [
    asks,
    ...(fence === null ? [] : [fence]),
    ...(leaseMs === 0 ? [] : [`${leaseMs} ms`]),
  ].join(" ");
}

function describeAnswer(operation: Operation): string {
  if (operation.kind === "lease") {
    const { result } = operation;
    return result.outcome === "granted"
      ? `granted ${result.fence} at ${result.lastSequence}`
      : result.outcome;
  }
  if (operation.kind === "append") return describeResult(operation);
  if (operation.kind === "create") {
    const { result } = operation;
    return result.outcome === "topic_busy" ? `busy with ${result.holder}` : result.outcome;
  }
  const { since, ids, lastSequence, runStatus } = operation;
  const page = ids.length === 0 ? "" : `${since + 1}-${since + ids.length} ${namesOf(ids)}, `;
  return `${page}head ${lastSequence} ${runStatus}`;
}

function describeResult({ result }: AppendOperation): string {
  switch (result.outcome) {
    case "appended":
    case "replayed":
      return `${result.outcome} ${result.firstSequence}-${result.lastSequence}`;
    case "finished":
      return `finished ${result.runStatus} at ${result.lastSequence}`;
    case "sequence_conflict":
      return `sequence_conflict at ${result.lastSequence}`;
    case "idempotency_key_reused":
    case "not_found":
    case "fenced":
    case "unknown":
    case "failed":
      return result.outcome;
  }
}

function namesOf(ids: readonly string[]): string {
  return ids.length > 1 ? `${ids[0]}..${ids.at(-1)}` : (ids[0] ?? "");
}
