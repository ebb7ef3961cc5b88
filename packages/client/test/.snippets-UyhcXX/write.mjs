import { startRun } from "@tm/run-events-client";

const [, , baseUrl, token] = process.argv;
const run = await startRun({ baseUrl, credential: { bearer: token }, topic: "tea" });
console.log(run.runId);
try {
  await run.append([{ eventType: "PHASE_STARTED", payload: { phase: "compose" } }]);
  for (const word of ["Tea", "is", "a", "leaf."]) {
    run.signal.throwIfAborted();
    await run.emit("TOKEN", word);
  }
  await run.complete({ words: 4 });
} catch (error) {
  // Nothing more can be written if another program has ended the run.
  if (error.code !== "run_finished") await run.fail({ message: error.message });
}
