import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { createRunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Hono } from "hono";

const { DATABASE = "runs.db", PORT: port = "8080" } = process.env;
const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
setInterval(() => void runs.reap({ graceMs: 1_000 }).catch(console.error), 500).unref(); // ends what died
/** Yours: the events of a model, such as those of the provider that you call, without their numbers. */
async function* askModel(input, signal) {
  const part = { item_id: "msg_1", output_index: 0, content_index: 0, logprobs: [] };
  for (const delta of `You said: ${input}`.split(/(?<= )/)) {
    await setTimeout(100, null, { signal });
    yield { type: "response.output_text.delta", ...part, delta };
  }
}
/** Records them: the event with the number N has the sequence N + 1. The end has the output. */
async function work(run, input) {
  await run.append([{ eventType: "RESPONSE", payload: { type: "response.created" } }]);
  let text = "";
  for await (const event of askModel(input, run.signal)) {
    text += event.delta;
    await run.emit("RESPONSE", event);
  }
  const content = [{ type: "output_text", text, annotations: [] }];
  return [{ type: "message", id: "msg_1", role: "assistant", status: "completed", content }];
}
const ENDS = { RUN_COMPLETED: "completed", RUN_FAILED: "failed", RUN_CANCELLED: "cancelled" };
/** A run as a response, after this event. */
function responseOf({ runId: id, metadata, createdAt }, { eventType, payload } = {}) {
  const status = ENDS[eventType] ?? "in_progress";
  const rest = { background: true, created_at: Math.floor(Date.parse(createdAt) / 1_000), status };
  const error = status === "failed" ? { code: "server_error", message: "It failed." } : null;
  const output = (status === "completed" && payload) || [];
  return { id, object: "response", ...metadata, ...rest, error, output };
}
const nowOf = async (run, since = Math.max(0, run.lastSequence - 1)) =>
  responseOf(run, (await runs.as(run.ownerId).read(run.runId, { since })).events[0]);
async function* framesOf(run, since, signal) {
  for await (const event of runs.as(run.ownerId).tail(run.runId, { since, signal })) {
    const end = ENDS[event.eventType]?.replace("cancelled", "incomplete");
    const own = end ? { type: `response.${end}` } : event.payload;
    const numbered = { ...own, sequence_number: event.sequence - 1 };
    if (end || own.type === "response.created") numbered.response = responseOf(run, event);
    yield new TextEncoder().encode(`data: ${JSON.stringify(numbered)}\n\n`);
  }
}
const users = new Map([["Bearer a-token-of-ada", "ada"]]).set("Bearer a-token-of-bob", "bob");
const type = "invalid_request_error";
const refusal = (message, param = null) => ({ error: { message, type, param, code: null } });
const app = new Hono().basePath("/v1/responses");
app.use(async (context, next) => {
  const ownerId = users.get(context.req.header("authorization"));
  context.set("owner", { ownerId });
  return ownerId ? next() : context.json(refusal("Sign in."), 401);
});
app.post("/", async ({ req, var: { owner }, json }) => {
  const { model, input } = await req.json();
  const place = { ...owner, runId: `resp_${crypto.randomUUID()}`, metadata: { model } };
  const { runId } = await runs.start({ ...place, leaseMs: 2_000 }, (run) => work(run, input));
  return json(responseOf(await runs.get(runId, owner)));
});
app.get("/:id", async ({ req, var: { owner }, json }) => {
  const run = await runs.get(req.param("id"), owner);
  if (req.query("stream") !== "true") return json(await nowOf(run));
  const since = Number(/^(-1|\d+)$/.exec(req.query("starting_after") ?? "-1")?.[0]) + 1;
  if (!(since <= run.lastSequence)) return json(refusal("No event has it.", "starting_after"), 400);
  const frames = ReadableStream.from(framesOf(run, since, req.raw.signal));
  return new Response(frames, { headers: { "content-type": "text/event-stream" } });
});
app.post("/:id/cancel", async ({ req, var: { owner }, json }) =>
  json(await nowOf(await runs.cancel(req.param("id"), owner))),
);
const STATUSES = { not_found: 404, SyntaxError: 400 };
app.onError(({ name, code = name }, { json }) => json(refusal(code), STATUSES[code] ?? 500));
serve({ fetch: app.fetch, port }, (at) => console.log(`listening on http://localhost:${at.port}`));
