import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import * as lang from "@langchain/langgraph";
import { createRunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";

const store = createSqliteStore(new DatabaseSync(process.env.DATABASE ?? "runs.db"));
await store.migrate();
const runs = createRunEvents({ store });
const ada = runs.as("ada");

/** Yours: a graph. Its nodes call no model here. */
const State = lang.Annotation.Root({
  steps: lang.Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }),
});
const book =
  (name) =>
  async (_state, { signal, writer }) => {
    await setTimeout(1_000, null, { signal });
    writer({ name, price: name.length });
    return { steps: [name] };
  };
const approve = () => ({ steps: [lang.interrupt({ question: "Book it?" }) ? "booked" : "left"] });
const plan = new lang.StateGraph(State)
  .addNode("flight", book("flight"))
  .addNode("hotel", book("hotel"))
  .addNode("approve", approve)
  .addEdge(lang.START, "flight")
  .addEdge("flight", "hotel")
  .addEdge("hotel", "approve")
  .addEdge("approve", lang.END);

/** The task of `work`: goes on where the log ends. The log is the graph's only checkpoint. */
async function travel(run) {
  const graph = plan.compile({ checkpointer: new lang.MemorySaver() });
  const config = { configurable: { thread_id: run.runId }, signal: run.signal };
  const { events } = await ada.read(run.runId);
  const start = events.length > 0 ? null : { steps: ["trip"] };
  if (start === null) await graph.updateState(config, { steps: ["trip"] }, lang.START);
  const answers = []; // those of the node that has not finished
  for (const { eventType, payload } of events) {
    if (eventType === "INPUT_RECEIVED") answers.push(new lang.Command({ resume: payload }));
    if (eventType !== "NODE_DONE") continue;
    await graph.updateState(config, payload.update, payload.node);
    answers.length = 0;
  }
  if (events.at(-1)?.eventType === "INPUT_REQUESTED") return run.park();
  const input = answers.pop() ?? start;
  for (const earlier of answers) await graph.invoke(earlier, config); // its next question is answered, too
  const streamMode = ["updates", "custom"];
  for await (const [mode, chunk] of await graph.stream(input, { ...config, streamMode })) {
    if (mode === "custom") await run.emit("PROGRESS", chunk);
    else if (chunk.__interrupt__) {
      const [{ value }] = chunk.__interrupt__;
      await run.append([{ eventType: "INPUT_REQUESTED", payload: value }]);
      return run.park(); // `input` has the answer, in any process
    } else {
      const [[node, update]] = Object.entries(chunk);
      await run.append([{ eventType: "NODE_DONE", payload: { node, update } }]);
    }
  }
  return (await graph.getState(config)).values;
}

// A worker: finishes the run if no other process has it. To follow it, any process calls `tail`.
const [runId = "trip", answer] = process.argv.slice(2);
await ada.create({ runId }); // a repeated call changes nothing
if (answer !== undefined) await ada.input(runId, answer === "yes");
console.log(await ada.work(runId, { leaseMs: 2_000 }, travel));
await runs.close();
