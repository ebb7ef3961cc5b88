import { fork } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { asked } from "./ai-sdk/small-chats.ts";

/** Two bodies of this size take all bytes that one user may have in flight. */
const LARGE = "x".repeat(16_700_000);

/** Starts a server with a heap of 1 GiB. @returns how to send it a request, and whether its process is alive */
async function startServer(): Promise<{
  readonly ask: (user: string, path: string, body?: string) => Promise<Response>;
  readonly lives: () => boolean;
}> {
  const execArgv = ["--max-old-space-size=1024", "-C", "@tm/source"];
  const server = fork(new URL("./bounds-server.ts", import.meta.url), { execArgv });
  onTestFinished(() => void server.kill("SIGKILL"));
  const [port] = (await once(server, "message")) as [number];
  return {
    lives: () => server.exitCode === null && server.signalCode === null,
    async ask(user, path, body) {
      const headers = { user, accept: "application/json", "content-type": "application/json" };
      const init = { method: "POST", headers, ...(body !== undefined && { body }) };
      const response = await fetch(`http://127.0.0.1:${port}/api/${path}`, init);
      // The answer goes on after the page has left.
      if (response.headers.get("content-type") === "text/event-stream")
        await response.body?.cancel();
      return response;
    },
  };
}

const chatOf = (id: string, text: string): string =>
  JSON.stringify({ id, messages: [asked("m", text)] });
const threadOf = (threadId: string, content: string): string => {
  const messages = [{ id: "m", role: "user", content }];
  return JSON.stringify({ threadId, runId: "r", messages, tools: [], context: [], state: {} });
};

it.each([
  ["chats", "chat", chatOf],
  ["threads", "agent", threadOf],
] as const)(
  "W49: many large bodies of one user at once do not crash a server of %s: those beyond the bound are 429, and other users are answered",
  async (_name, path, bodyOf) => {
    const { ask, lives } = await startServer();
    const many = Array.from({ length: 8 }, async (_, at) =>
      ask("ada", path, bodyOf(`${at}`, LARGE)),
    );
    const others = Array.from({ length: 4 }, async (_, at) =>
      ask("bob", path, bodyOf(`${at}`, "Why?")),
    );
    for (const other of await Promise.all(others)) expect(other.status).toBe(200);
    const answers = await Promise.all(many);
    const taken = answers.flatMap(({ status }, at) => (status === 200 ? [at] : []));
    expect(taken).toHaveLength(2);
    for (const refused of answers.filter(({ status }) => status !== 200)) {
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
      expect(refused.headers.get("content-type")).toBe("application/problem+json");
      expect(await refused.json()).toMatchObject({ status: 429, code: "too_many_requests" });
    }
    // A question is in memory until the model's answer ends, and counts until then.
    expect((await ask("ada", path, bodyOf("next", LARGE))).status).toBe(429);
    for (const at of taken) expect((await ask("ada", `${path}/${at}/stop`)).status).toBe(200);
    await expect.poll(async () => (await ask("ada", path, bodyOf("next", LARGE))).status).toBe(200);
    expect(lives()).toBe(true);
  },
);

it.each([
  ["larger than 16 MiB", "chat", chatOf("a", LARGE + LARGE)],
  [
    "of 3 MiB with more values than it has room for",
    "chat",
    chatOf("a", "") + "[],".repeat(1_048_576),
  ],
  ["of a thread, larger than 16 MiB", "agent", threadOf("a", LARGE + LARGE)],
])("a body %s is refused with a problem, and the server goes on", async (_name, path, body) => {
  const { ask, lives } = await startServer();
  const answers = await Promise.all(Array.from({ length: 4 }, async () => ask("ada", path, body)));
  for (const refused of answers) {
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ status: 413, code: "payload_too_large" });
  }
  expect((await ask("ada", "chat", chatOf("b", "Why?"))).status).toBe(200);
  expect(lives()).toBe(true);
});

it("W49: a body that is refused by its length costs no other request its connection", async () => {
  const { ask } = await startServer();
  const large = ["a", "b"].map(async (id) => ask("ada", "chat", chatOf(id, LARGE)));
  for (const taken of await Promise.all(large)) expect(taken.status).toBe(200);
  for (const round of ["1", "2"]) {
    const refused = await ask("ada", "chat", chatOf(round, "x".repeat(1_000_000)));
    expect(refused.status).toBe(429);
    await refused.text();
    for (const id of ["a", "b", "c"]) {
      const other = await ask("bob", "chat", chatOf(round + id, "Why?"));
      expect(other.status).toBe(200);
      await other.text();
    }
  }
});
