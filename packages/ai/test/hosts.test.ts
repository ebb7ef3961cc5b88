import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listens } from "@tm/run-events-test-servers/listens";
import { findFreePort } from "@tm/run-events-test-servers";
import { expect, it, onTestFinished } from "vitest";
import { MODEL } from "./snippet-model.ts";
import { readPage, readSnippets } from "./snippets.ts";

const PROGRAMS = new Map(readSnippets("HOSTS.md"));
const HEADERS = { user: "ada", "content-type": "application/json", accept: "application/json" };

/** Writes a program of the page next to the chat that it serves. @returns its file */
async function write(name: string): Promise<string> {
  // Next to this file, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const files = [["model.mjs", MODEL] as const, ...readSnippets("AI-SDK.md")];
  for (const [file, code] of [...files, [name, PROGRAMS.get(name) ?? ""] as const])
    await writeFile(join(folder, file), code);
  return join(folder, name);
}

/** Starts a program of the page. @returns its address */
async function start(name: string): Promise<string> {
  const port = await findFreePort();
  const file = await write(name);
  const child = fork(file, {
    execArgv: ["-C", "@tm/source"],
    env: { ...process.env, PORT: `${port}` },
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await expect.poll(() => listens(port)).toBe(true);
  return `http://127.0.0.1:${port}/api/chat`;
}

const question = (id: string): string =>
  JSON.stringify({
    id,
    message: { id: "q", role: "user", parts: [{ type: "text", text: "Why?" }] },
  });

/** Expects of the routes what they have to do on each host. */
async function expectRoutes(api: string, ask: typeof fetch): Promise<void> {
  const send = (path: string, body: BodyInit): Promise<Response> =>
    ask(`${api}${path}`, { method: "POST", headers: HEADERS, body });
  const statusOf = async (path: string, headers: HeadersInit = HEADERS): Promise<number> =>
    (await ask(`${api}${path}`, { headers })).status;
  const { runId } = (await (await send("", question("a/b ?é"))).json()) as { runId: string };
  expect(await (await send("", question("a/b ?é"))).json()).toMatchObject({
    code: "topic_busy",
    runId,
  });
  const path = `/${encodeURIComponent("a/b ?é")}`;
  const stream = await ask(`${api}${path}/stream`, { headers: { user: "ada" } });
  expect(stream.headers.get("content-type")).toBe("text/event-stream");
  expect(await stream.text()).toContain("[DONE]");
  for (const end of ["", "/", "?x=1"]) {
    const { messages } = (await (
      await ask(`${api}${path}${end}`, { headers: HEADERS })
    ).json()) as {
      readonly messages: readonly unknown[];
    };
    expect(messages).toHaveLength(2);
  }
  // Another user has another chat of this id, and a request without a session has none.
  expect(await (await ask(`${api}${path}`, { headers: { user: "bob" } })).json()).toEqual({
    messages: [],
    active: null,
  });
  expect(await statusOf(path, {})).toBe(401);
  expect((await send("/", question("slash"))).status).toBe(200);
  expect((await send("", question(".."))).status).toBe(400);
  expect(await statusOf("/%2e%2e/stop")).toBe(404);
  expect((await send("", new Uint8Array(67_108_865))).status).toBe(413);
}

it.each(["hono.mjs", "express.mjs", "fastify.mjs", "h3.mjs"])(
  "HOSTS.md: the routes of chats work as they are mounted in %s",
  async (name) => {
    await expectRoutes(await start(name), fetch);
  },
);

it("HOSTS.md: the routes of chats work as they are exported for Next.js", async () => {
  const { GET, POST } = (await import(await write("route.mjs"))) as Readonly<
    Record<"GET" | "POST", (request: Request) => Promise<Response>>
  >;
  await expectRoutes("http://localhost/api/chat", async (url, init) => {
    const request = new Request(url, init);
    return request.method === "POST" ? POST(request) : GET(request);
  });
});

it("HOSTS.md has a program for each of these hosts, and 150 lines at most", () => {
  expect([...PROGRAMS.keys()]).toEqual([
    "hono.mjs",
    "express.mjs",
    "fastify.mjs",
    "h3.mjs",
    "route.mjs",
  ]);
  expect(readPage("HOSTS.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
});
