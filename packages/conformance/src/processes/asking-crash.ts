import { checkCrash, type Crash, crashOnce, goOn, outlivesCrash } from "./crash-play.ts";
import { DIALOGUE_IDS } from "./dialogue.ts";
import type { Manner } from "./loads.ts";
import type { ProcessTrial } from "./process-case.ts";

const ASKING: Manner = { manner: "asking", runIds: DIALOGUE_IDS };

/**
 * Lets workers ask and persons answer, crashes, looks at the runs that are left, and lets what is left and a new process go on with them. It
 * demands nothing of a store that declares less than `process`.
 * @throws Error with the clause, and a timeline where calls show it
 */
export async function playAskingCrash(trial: ProcessTrial, crash: Crash): Promise<void> {
  const { crew, ledger } = trial;
  const workers = await crew.startAll();
  await workers[0].call("create", { runIds: DIALOGUE_IDS });
  const left = await crashOnce(trial, crash, workers, ASKING);
  const reader = await crew.start();
  if (!outlivesCrash(trial)) return;
  const name = `${reader.name}-on`;
  const later = await reader.call("goOnAsking", { name, runIds: DIALOGUE_IDS });
  await goOn(trial, [...left, reader], ASKING);
  await reader.call("checkDialogues", { runIds: DIALOGUE_IDS });
  await checkCrash(trial, crash, reader, [...ledger.operations(), ...later]);
}
