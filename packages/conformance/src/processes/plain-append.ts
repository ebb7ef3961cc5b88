import type { NewEvent } from "@tm/run-events-core/store";
import type { AppendRequest } from "../core-calls.ts";
import { appendRequest } from "../append-request.ts";
import { namedEvent } from "../history/named-event.ts";

/** An append of plain events by their names. */
export function plainAppend(
  runId: string,
  ids: readonly string[],
  idempotencyKey: string | null,
): AppendRequest {
  return appendRequest(runId, tokens(ids), { idempotencyKey });
}

/** Plain events by their names. */
export function tokens(ids: readonly string[]): readonly NewEvent[] {
  return ids.map((id) => namedEvent("TOKEN", id));
}

/** This many names. */
export function idsOf(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${name}.${index}`);
}
