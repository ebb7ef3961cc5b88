import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { StandardSchemaV1 } from "@modelcontextprotocol/client";
import { expect, it, onTestFinished } from "vitest";
import { ADA, BOB, hasEvents, openPlace } from "./two-servers.ts";

interface Task {
  readonly taskId: string;
  readonly status: string;
  readonly inputRequests?: Readonly<Record<string, { readonly params: unknown }>>;
  readonly result?: unknown;
}

/** The client has no schemas for the methods of tasks. */
const ANY: StandardSchemaV1<Task> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as Task }) },
};
const TASKS = { extensions: { "io.modelcontextprotocol/tasks": {} } };

/** Connects as the page of the recipe says: it lets tasks through. */
async function connect(
  url: string,
  headers: Readonly<Record<string, string>>,
  capabilities = TASKS,
): Promise<Client> {
  const options = { capabilities, versionNegotiation: { mode: "auto" as const } };
  const client = new Client({ name: "test", version: "1.0.0" }, options);
  const address = new URL("/mcp", url);
  const transport = new StreamableHTTPClientTransport(address, { requestInit: { headers } });
  await client.connect(transport);
  const { onmessage } = transport;
  transport.onmessage = (message) => {
    const isTask = "result" in message && message.result["resultType"] === "task";
    onmessage?.(
      isTask ? { ...message, result: { ...message.result, resultType: "complete" } } : message,
    );
  };
  onTestFinished(() => client.close());
  return client;
}

const ask = (client: Client, method: string, params: Record<string, unknown>): Promise<Task> =>
  client.request({ method, params }, ANY);

/** Polls until the task has a status. */
async function until(client: Client, taskId: string, status: string): Promise<Task> {
  let task: Task | undefined;
  await expect
    .poll(async () => (task = await ask(client, "tasks/get", { taskId })).status)
    .toBe(status);
  return task ?? { taskId, status: "" };
}

/** The report is written at once. */
const FAST = ["await setTimeout(1_000,", "await setTimeout(0,"] as const;
/** Its second chapter takes until the server is killed. */
const STUCK = ["await setTimeout(1_000,", "await setTimeout(chapter === 1 ? 0 : 300_000,"] as const;

it("a task outlives its server: another one answers, goes on with it, asks, and has the result", async () => {
  const { runs, start } = await openPlace("mcp-tasks.mjs");
  const [first, second] = await Promise.all([start(STUCK), start(FAST)]);
  const here = await connect(first.url, ADA);
  const { taskId } = (await here.callTool({ name: "report" })) as unknown as Task;
  await expect.poll(() => hasEvents(runs, "CHAPTER", 1)).toBe(true);
  await first.end("SIGKILL");
  const there = await connect(second.url, ADA);
  expect(await ask(there, "tasks/get", { taskId })).toMatchObject({ taskId, status: "working" });
  const asked = await until(there, taskId, "input_required");
  const [[key, request] = ["", null]] = Object.entries(asked.inputRequests ?? {});
  expect(request).toMatchObject({
    method: "elicitation/create",
    params: { message: "Send it?" },
  });
  const answer = (send: boolean) => ({
    taskId,
    inputResponses: { [key]: { action: send ? "accept" : "decline" } },
  });
  await ask(there, "tasks/update", { taskId, inputResponses: { other: { action: "accept" } } });
  expect(await ask(there, "tasks/get", { taskId })).toMatchObject({ status: "input_required" });
  await ask(there, "tasks/update", answer(true));
  await ask(there, "tasks/update", answer(false));
  const { result } = await until(there, taskId, "completed");
  expect(result).toEqual({ content: [{ type: "text", text: "Sent." }] });
  const { events } = await runs.read(taskId);
  expect(events.map(({ eventType }) => eventType)).toEqual([
    "CHAPTER",
    "CHAPTER",
    "CHAPTER",
    "INPUT_REQUESTED",
    "INPUT_RECEIVED",
    "RUN_COMPLETED",
  ]);
});

it("a task is cancelled, is unknown to others, and is made only for clients that know tasks", async () => {
  const { start } = await openPlace("mcp-tasks.mjs");
  const { url } = await start(STUCK);
  const ada = await connect(url, ADA);
  const { taskId } = (await ada.callTool({ name: "report" })) as unknown as Task;
  const bob = await connect(url, BOB);
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    await expect(ask(bob, method, { taskId })).rejects.toMatchObject({ code: -32_602 });
  }
  expect(await ask(ada, "tasks/cancel", { taskId })).toMatchObject({});
  expect(await ask(ada, "tasks/get", { taskId })).toMatchObject({ status: "cancelled" });
  const plain = await connect(url, ADA, { extensions: {} } as typeof TASKS);
  await expect(plain.callTool({ name: "report" })).rejects.toMatchObject({ code: -32_021 });
  await expect(ask(plain, "tasks/get", { taskId })).rejects.toMatchObject({ code: -32_021 });
  expect((await fetch(url, { method: "POST" })).status).toBe(401);
});
