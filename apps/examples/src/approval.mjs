const { TOOLS_URL = "http://localhost:9090" } = process.env;

/** Yours: sends the mail, once for each key. */
async function send(key, signal) {
  const headers = { "idempotency-key": key };
  const response = await fetch(`${TOOLS_URL}/mail`, { method: "POST", headers, signal });
  if (!response.ok) throw new Error(`mail answered ${response.status}`);
}

/** The task of `work`: asks a person, and parks the run until the answer comes. The log says how far the run is. */
export async function approval(runs, run) {
  let isAsked = false;
  let answer;
  if (run.lastSequence > 0) {
    for await (const event of runs.tail(run.runId, { signal: run.signal })) {
      if (event.eventType === "INPUT_REQUESTED") isAsked = true;
      if (event.eventType === "INPUT_RECEIVED" && isAsked) answer ??= event.payload;
      if (event.sequence === run.lastSequence) break;
    }
  }
  if (answer?.approved === true) {
    await send(`${run.runId} mail`, run.signal);
    return { sent: true };
  }
  if (answer !== undefined) return { sent: false };
  const question = { question: "Send the mail?", kind: "approval" };
  if (!isAsked) await run.append([{ eventType: "INPUT_REQUESTED", payload: question }]);
  return run.park(); // the server that takes the answer lets a worker claim the run again
}
