import type { LeaseOperation, Operation } from "../history/operation.ts";
import { LONG_MS } from "../lease.ts";
import { checkCrash, type Crash, crashOnce, goOn, outlivesCrash } from "./crash-play.ts";
import type { Manner } from "./loads.ts";
import type { ProcessTrial } from "./process-case.ts";
import type { DueRuns } from "./worker-commands.ts";

const UPKEEP: Manner = { manner: "upkeep", runIds: [] };

/**
 * Lets processes start runs and do the upkeep of those that no worker has, crashes, looks at which runs a new process finds, lets what is
 * left go on, and ends all runs that are due. It demands nothing of a store that declares less than `process`.
 * @throws Error with the clause, and a timeline where calls show it
 */
export async function playUpkeepCrash(trial: ProcessTrial, crash: Crash): Promise<void> {
  const { crew, ledger } = trial;
  const left = await crashOnce(trial, crash, await crew.startAll(), UPKEEP);
  const reader = await crew.start();
  if (!outlivesCrash(trial)) return;
  await reader.call("checkDue", dueOf(ledger.operations()));
  await goOn(trial, [...left, reader], UPKEEP);
  await reader.call("checkDue", dueOf(ledger.operations()));
  const ends = await reader.call("endDue", { name: `${reader.name}-end` });
  // Only those are left that have a long lease.
  const due = dueOf(ledger.operations());
  await reader.call("checkDue", { ...due, runIds: due.kept });
  await checkCrash(trial, crash, reader, [...ledger.operations(), ...ends]);
}

function dueOf(operations: readonly Operation[]): DueRuns {
  const leases = operations.filter((one): one is LeaseOperation => one.kind === "lease");
  const runIds = [...new Set(leases.map(({ runId }) => runId))];
  const released = new Set(
    leases.filter(({ asks }) => asks === "release").map(({ runId }) => runId),
  );
  return {
    runIds,
    kept: leases.filter(({ leaseMs }) => leaseMs === LONG_MS).map(({ runId }) => runId),
    heldOnce: runIds.filter((runId) => !released.has(runId)),
  };
}
