import type { Operation } from "../history/operation.ts";

/**
 * How often a call of one client was made during one of another's, each call taken for one of the two once at most. A machine with
 * too much to do may run processes one after the other, and then nothing has raced.
 */
export function countMeetings(operations: readonly Operation[]): number {
  const latest = new Map<string, { readonly endedAt: number; met: boolean }>();
  let count = 0;
  for (const { client, begunAt, endedAt } of operations.toSorted((a, b) => a.begunAt - b.begunAt)) {
    const own = { endedAt: endedAt ?? Infinity, met: false };
    for (const [other, call] of latest) {
      if (other === client || call.met || call.endedAt <= begunAt) continue;
      call.met = true;
      own.met = true;
      count += 1;
      break;
    }
    latest.set(client, own);
  }
  return count;
}
