import { DurableStreamTestServer } from "@durable-streams/server";
import { serveParent } from "./child.ts";
import { CONNECTIONS, type HttpAppendServer } from "./http-append-server.ts";
import { runIdOf } from "./append-writer.ts";
import { readUsage } from "./rounds.ts";

// It tells of every append over 50 ms, between the lines of the report.
console.info = () => {};
// As its README says, with storage in files; every other option is the default.
const server = new DurableStreamTestServer({ port: 0, dataDir: process.argv[2] ?? "" });
await server.start();
for (let index = 0; index < CONNECTIONS; index++) {
  const created = await fetch(urlOf(index), {
    method: "PUT",
    headers: { "content-type": "application/json" },
  });
  if (!created.ok) throw new Error(`PUT of a stream: ${created.status}`);
}

function urlOf(index: number): string {
  return `${server.url}/${runIdOf(index)}`;
}

serveParent<HttpAppendServer>({
  listen: () => Number(new URL(server.url).port),
  usage: readUsage,
  async count() {
    let count = 0;
    for (let index = 0; index < CONNECTIONS; index++) count += await countMessages(urlOf(index));
    return count;
  },
});

/** Reads a stream to its end. */
async function countMessages(url: string): Promise<number> {
  let count = 0;
  let offset = "-1";
  for (;;) {
    const response = await fetch(`${url}?offset=${offset}`);
    count += ((await response.json()) as readonly unknown[]).length;
    if (response.headers.has("stream-up-to-date")) return count;
    offset = response.headers.get("stream-next-offset") ?? "";
  }
}
