import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { DefaultExecutionEventBus as Bus, DefaultRequestHandler } from "@a2a-js/sdk/server";
import { agentCardHandler, jsonRpcHandler } from "@a2a-js/sdk/server/express";
import { createRunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import express from "express";

const { DATABASE = "runs.db", PORT = "8080", PUBLIC_URL = "http://localhost:8080" } = process.env;
const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
/** Yours: an agent that writes chapters. Its state is the log, so any process can go on. */
const writer = (own) => async (run) => {
  const { events } = await own.read(run.runId);
  for (let chapter = events.length + 1; chapter <= 3; chapter += 1) {
    await setTimeout(1_000, null, { signal: run.signal });
    const parts = [{ content: { $case: "text", value: `Chapter ${chapter}` } }];
    await run.append([{ eventType: "ARTIFACT", payload: { artifactId: `${chapter}`, parts } }]);
  }
};
const STATES = { running: 2, completed: 3, failed: 4, cancelled: 5 }; // those of `TaskState`
function taskOf({ runId: id, metadata, runStatus, updatedAt: timestamp }, events) {
  const artifacts = events.filter((one) => one.payload?.artifactId).map(({ payload }) => payload);
  const status = { state: STATES[runStatus] ?? 1, timestamp };
  return { id, contextId: metadata.contextId, status, artifacts, history: [metadata.message] };
}
function eventOf({ runId: taskId, metadata }, { eventType, payload: artifact, createdAt }) {
  const of = { taskId, contextId: metadata.contextId };
  if (eventType === "ARTIFACT") return { kind: "artifactUpdate", data: { ...of, artifact } };
  const state = STATES[eventType.replace("RUN_", "").toLowerCase()];
  return { kind: "statusUpdate", data: { ...of, status: { state, timestamp: createdAt } } };
}
async function follow(bus, run, since, { own } = bus) {
  const work = () => void own.work(run.runId, { leaseMs: 2_000 }, writer(own)).catch(() => {});
  const timer = setInterval(work, 1_000).unref(); // goes on with a task whose process has died
  for await (const event of own.tail(run.runId, { since })) bus.publish(eventOf(run, event));
  bus.finished(clearInterval(timer));
}
const starts = new WeakMap(); // for each request, the run where its bus begins
const taskStore = {
  save: async () => {}, // the log has all of it
  async load(taskId, context) {
    await starts.get(context)?.catch(() => {}); // so that no event is lost between task and bus
    const own = runs.as(context.user.userName);
    const run = await own.get(taskId).catch(() => null);
    return run === null ? undefined : taskOf(run, (await own.read(taskId)).events);
  },
};
const busOf = (_id, { user }) => Object.assign(new Bus(), { own: runs.as(user.userName) });
const buses = { createOrGetByTaskId: busOf, settleByTaskId: () => true, cleanupByTaskId: () => {} };
function getByTaskId(taskId, context) {
  const bus = busOf(taskId, context);
  const start = bus.own.get(taskId);
  starts.set(context, start);
  start.then((run) => follow(bus, run, run.lastSequence)).catch(() => bus.finished());
  return bus;
}
const agent = {
  async execute({ taskId: runId, contextId, userMessage: message }, bus, { own } = bus) {
    await own.start({ runId, metadata: { contextId, message }, leaseMs: 2_000 }, writer(own));
    const run = await own.get(runId);
    bus.publish({ kind: "task", data: taskOf(run, []) });
    follow(bus, run, 0).catch(() => bus.finished());
  },
  cancelTask: (taskId, { own }) => own.cancel(taskId),
};
const face = { url: `${PUBLIC_URL}/a2a`, protocolBinding: "JSONRPC", protocolVersion: "1.0" };
const modes = { defaultInputModes: ["text/plain"], defaultOutputModes: ["text/plain"] };
const about = { name: "Writer", description: "Writes chapters", version: "1.0.0", skills: [] };
const card = { ...about, ...modes, supportedInterfaces: [face], capabilities: { streaming: true } };
const requestHandler = new DefaultRequestHandler(card, taskStore, agent, { ...buses, getByTaskId });
const users = new Map([["Bearer a-token-of-ada", "ada"]]).set("Bearer a-token-of-bob", "bob");
const userOf = ({ headers }) => users.get(headers.authorization);
const userBuilder = async (request) => ({ userName: userOf(request), isAuthenticated: true });
const server = express()
  .use("/.well-known/agent-card.json", agentCardHandler({ agentCardProvider: requestHandler }))
  .use((request, response, next) => (userOf(request) ? next() : response.sendStatus(401)))
  .use("/a2a", jsonRpcHandler({ requestHandler, userBuilder }))
  .listen(PORT, () => console.log(`listening on http://localhost:${server.address().port}`));
