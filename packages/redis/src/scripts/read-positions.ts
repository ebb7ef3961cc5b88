import type { LivePosition } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { isCluster } from "../driver.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/** Reads the positions of runs. KEYS: heads. Answers for each the ordinal, the last sequence, the time of that event, and when the run finished. */
const READ_POSITIONS: Script = defineReading(`${refuseOnReplica("HDEL")}
local found = {}
for i, head in ipairs(KEYS) do found[i] = redis.call('HMGET', head, 'ordinal', 'lastSequence', 'updatedAtMs', 'finishedAtMs') end
return found
`);

/** The most heads of one script, so that no script occupies the server for long. */
const SCRIPT_HEADS = 256;

/** Where a run is, and whether it has finished. */
export interface FoundPosition extends LivePosition {
  readonly isFinished: boolean;
}

/** Where runs are, in the order of their ids; `null` for a run that does not exist. In a cluster each head is read by itself. */
export async function readPositions(
  connection: Connection,
  runIds: readonly string[],
): Promise<readonly (FoundPosition | null)[]> {
  const size = isCluster(connection.redis) ? 1 : SCRIPT_HEADS;
  const pieces = Array.from({ length: Math.ceil(runIds.length / size) }, (_, at) =>
    runIds.slice(at * size, (at + 1) * size),
  );
  const found = await Promise.all(
    pieces.map(async (piece) => {
      const heads = piece.map((runId) => connection.keys.ofRun(runId).head);
      return (await connection.run(READ_POSITIONS, heads, [])) as (string | null)[][];
    }),
  );
  return found.flat().map(([ordinal, last, updated, finished], at) => {
    if (typeof ordinal !== "string") return null;
    return {
      runId: runIds[at] ?? "",
      ordinal: Number(ordinal),
      lastSequence: Number(last),
      updatedAtMs: Number(updated),
      isFinished: typeof finished === "string",
    };
  });
}
