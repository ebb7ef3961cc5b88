import { workRun } from "@tm/run-events-client/work";

const [, , baseUrl, runId, token] = process.argv;
const shutdown = new AbortController();
process.once("SIGTERM", () => shutdown.abort(new Error("SIGTERM")));

const options = { baseUrl, runId, credential: { bearer: token }, leaseMs: 60_000 };
const answer = await workRun({ ...options, signal: shutdown.signal }, async (run) => {
  await run.phase("compose");
  for (const word of ["Tea", "is", "a", "leaf."]) {
    run.signal.throwIfAborted();
    await run.emit("TOKEN", word);
  }
  // Without this line, a stream that just ends when its signal aborts would count as a whole answer.
  run.signal.throwIfAborted();
  return { words: 4 };
});
console.log(answer);
