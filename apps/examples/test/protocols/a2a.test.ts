import type { CancelTaskRequest, Message, SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import {
  type Client,
  ClientFactory,
  ClientFactoryOptions,
  JsonRpcTransportFactory,
} from "@a2a-js/sdk/client";
import { expect, it } from "vitest";
import { ADA, BOB, hasEvents, openPlace } from "./two-servers.ts";

/** Each chapter takes no time. */
const FAST = ["await setTimeout(1_000,", "await setTimeout(0,"] as const;
/** The second chapter takes until the server is killed. */
const STUCK = ["await setTimeout(1_000,", "await setTimeout(chapter === 1 ? 0 : 300_000,"] as const;

/** Connects to the server, at its own port. */
async function connect(url: string, credential: Readonly<Record<string, string>>): Promise<Client> {
  const fetchImpl: typeof fetch = async (to, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(credential)) headers.set(name, value);
    const address = to instanceof Request ? to.url : new URL(to).href;
    return fetch(address.replace("http://localhost:8080", url), { ...init, headers });
  };
  const transports = [new JsonRpcTransportFactory({ fetchImpl })];
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { transports });
  return new ClientFactory(options).createFromUrl(url);
}

const TEXT = { content: { $case: "text" as const, value: "Write." } };

/** The events of a stream, in short form. */
const said = ({ payload }: StreamResponse): string => {
  if (payload?.$case === "task") return `task ${payload.value.artifacts.length}`;
  if (payload?.$case === "statusUpdate") return `status ${payload.value.status?.state}`;
  return payload?.$case === "artifactUpdate" ? String(payload.value.artifact?.artifactId) : "";
};

async function all(stream: AsyncIterable<StreamResponse>): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const response of stream) texts.push(said(response));
  return texts;
}

/** Sends a message, and leaves once the task is there. @returns the task's id */
async function begin(client: Client): Promise<string> {
  const message = { messageId: "m-1", role: 1, parts: [TEXT] } as unknown as Message;
  const request = { message } as SendMessageRequest;
  for await (const { payload } of client.sendMessageStream(request)) {
    if (payload?.$case === "task") return payload.value.id;
  }
  throw new TypeError("Expected a task.");
}

it("a task goes on at another server after a kill, where its client subscribes to it again", async () => {
  const { runs, start } = await openPlace("a2a.mjs");
  const [first, second] = await Promise.all([start(STUCK), start(FAST)]);
  const id = await begin(await connect(first.url, ADA));
  await expect.poll(() => hasEvents(runs, "ARTIFACT", 1)).toBe(true);
  await first.end("SIGKILL");
  const there = await connect(second.url, ADA);
  const request = { id, tenant: "" };
  // The server that is asked goes on with the task once the lease of the dead one has expired.
  expect(await all(there.resubscribeTask(request))).toEqual(["task 1", "2", "3", "status 3"]);
  const task = await there.getTask({ id, tenant: "" });
  expect(task.status?.state).toBe(3);
  expect(task.artifacts.map(({ artifactId }) => artifactId)).toEqual(["1", "2", "3"]);
});

it("a task is cancelled at another server, and is unknown to others", async () => {
  const { runs, start } = await openPlace("a2a.mjs");
  const [first, second] = await Promise.all([start(STUCK), start(STUCK)]);
  const here = await connect(first.url, ADA);
  const id = await begin(here);
  await expect.poll(() => hasEvents(runs, "ARTIFACT", 1)).toBe(true);
  const request = { id, tenant: "" };
  const bob = await connect(first.url, BOB);
  await expect(bob.getTask(request)).rejects.toThrow("Task not found");
  await expect(all(bob.resubscribeTask(request))).rejects.toThrow("Task not found");
  const there = await connect(second.url, ADA);
  const subscribed = all(there.resubscribeTask(request));
  expect((await there.cancelTask(request as CancelTaskRequest)).status?.state).toBe(5);
  expect(await subscribed).toContain("status 5");
});
