import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { serve } from "@hono/node-server";
import * as mcp from "@modelcontextprotocol/server";
import { createRunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
const { DATABASE = "runs.db", PORT: port = "8080" } = process.env;
const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const users = new Map([["Bearer a-token-of-ada", "ada"]]).set("Bearer a-token-of-bob", "bob");
const userOf = ({ headers }) => users.get(headers.get("authorization"));
/** Yours: writes a report, and asks before it mails it. Its state is the log, so any process can go on. */
const reporter = (own) => async (run) => {
  const { events } = await own.read(run.runId);
  const all = (type) => events.filter(({ eventType }) => eventType === type);
  for (let chapter = all("CHAPTER").length + 1; chapter <= 3; chapter += 1) {
    await setTimeout(1_000, null, { signal: run.signal });
    await run.append([{ eventType: "CHAPTER", payload: chapter }]);
  }
  const payload = { message: "Send it?", requestedSchema: { type: "object", properties: {} } };
  if (!all("INPUT_REQUESTED").length) await run.append([{ eventType: "INPUT_REQUESTED", payload }]);
  const [{ payload: answer } = {}] = all("INPUT_RECEIVED");
  if (answer === undefined) return run.park(); // no process has to wait for the answer
  return { content: [{ type: "text", text: answer.action === "accept" ? "Sent." : "Kept." }] };
};
/** Goes on with a task that no process works on. Any other is refused as `claimed`. */
const work = (own, { taskId }) =>
  void own.work(taskId, { leaseMs: 2_000 }, reporter(own)).catch(() => {});
const NOT_FOUND = new mcp.ProtocolError(mcp.ProtocolErrorCode.InvalidParams, "Task not found");
async function taskOf(taskId, own) {
  const run = await own.get(taskId).catch(() => Promise.reject(NOT_FOUND));
  const { createdAt, updatedAt: lastUpdatedAt, lastSequence, runStatus } = run;
  const times = { createdAt, lastUpdatedAt, ttlMs: null, pollIntervalMs: 500 };
  if (runStatus === "running" || lastSequence === 0) return { taskId, status: "working", ...times };
  const [{ payload: result }] = (await own.read(taskId, { since: lastSequence - 1 })).events;
  const request = { method: "elicitation/create", params: result };
  const waiting = { status: "input_required", inputRequests: { [`ask-${lastSequence}`]: request } };
  const failed = { error: { code: mcp.INTERNAL_ERROR, message: "The tool failed." } };
  const rest = { waiting, completed: { result }, failed };
  return { taskId, status: runStatus, ...times, ...rest[runStatus] };
}
const methods = {
  "tasks/get": work, // its process may have died, or it was answered
  async "tasks/update"(own, { taskId, inputRequests = {} }, { inputResponses = {} }) {
    const [key] = Object.keys(inputRequests).filter((one) => inputResponses[one]);
    const named = { idempotencyKey: key, expectedSequence: Number(key?.slice(4)) };
    if (key) await own.input(taskId, inputResponses[key], named);
  },
  "tasks/cancel": (own, { taskId }) => own.cancel(taskId),
};
const TASKS = "io.modelcontextprotocol/tasks";
const requiredCapabilities = { extensions: { [TASKS]: {} } };
const capabilities = { tools: {}, ...requiredCapabilities };
function check({ envelope }) {
  if (envelope?.[mcp.CLIENT_CAPABILITIES_META_KEY]?.extensions?.[TASKS]) return;
  throw new mcp.MissingRequiredClientCapabilityError({ requiredCapabilities });
}
const tools = [{ name: "report", description: "Writes a report", inputSchema: { type: "object" } }];
const any = { "~standard": { version: 1, vendor: "any", validate: (value) => ({ value }) } };
const { fetch } = mcp.createMcpHandler(({ requestInfo }) => {
  const own = runs.as(userOf(requestInfo));
  const server = new mcp.Server({ name: "reports", version: "1.0.0" }, { capabilities });
  server.setRequestHandler("tools/list", () => ({ tools }));
  server.setRequestHandler("tools/call", async (_request, { mcpReq }) => {
    check(mcpReq);
    const { runId } = await own.start({ leaseMs: 2_000 }, reporter(own));
    return { resultType: "task", content: [], ...(await taskOf(runId, own)) };
  });
  for (const [name, act] of Object.entries(methods))
    server.setRequestHandler(name, { params: any, result: any }, async ({ taskId }, { mcpReq }) => {
      check(mcpReq);
      const task = await taskOf(taskId, own);
      await act(own, task, mcpReq);
      return name === "tasks/get" ? task : {};
    });
  return server;
});
const app = (request) => (userOf(request) ? fetch(request) : new Response(null, { status: 401 }));
serve({ fetch: app, port }, (at) => console.log(`listening on http://localhost:${at.port}`));
