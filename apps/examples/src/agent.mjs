import { randomUUID } from "node:crypto";

const { TOOLS_URL = "http://localhost:9090" } = process.env;

/** The agent's state, folded from its run's log: nothing else survives the process. */
const fold = (state, { eventType, payload }) => {
  if (eventType === "STEP_STARTED") return { ...state, open: payload };
  if (eventType === "STEP_DONE") return { done: [...state.done, payload], open: null };
  return state;
};

/** Yours: the next thing to do, which a model may choose; undefined when all is done. */
const decide = ({ done }) => ["flight", "hotel", "mail"][done.length];

/** Yours: does it. A tool that gets the same key again answers again, but does it once. */
async function use({ tool, key }, signal) {
  const headers = { "idempotency-key": key };
  const response = await fetch(`${TOOLS_URL}/${tool}`, { method: "POST", headers, signal });
  if (!response.ok) throw new Error(`${tool} answered ${response.status}`);
  return response.text();
}

/** Goes on where the log ends, even if another worker wrote it. The task of `work`, with the runs of its owner. */
export async function agent(runs, run) {
  let state = { done: [], open: null };
  if (run.lastSequence > 0) {
    for await (const event of runs.tail(run.runId, { signal: run.signal })) {
      state = fold(state, event);
      if (event.sequence === run.lastSequence) break;
    }
  }
  const record = async (eventType, payload) => {
    await run.append([{ eventType, payload }]);
    state = fold(state, { eventType, payload });
  };
  for (;;) {
    const tool = state.open?.tool ?? decide(state);
    if (tool === undefined) return state.done;
    // Before the tool is used: a worker that dies in between leaves the step open, with its key.
    if (state.open === null) await record("STEP_STARTED", { tool, key: randomUUID() });
    const result = await use(state.open, run.signal);
    await record("STEP_DONE", { tool, result });
  }
}
