import { createRunEvents } from "@tm/run-events-core";
import { runSubject, serveParent } from "./child.ts";
import { countEvents } from "./count-events.ts";
import { readUsage } from "./rounds.ts";
import { OWNER, runIdOf, runIdsOf } from "./run-ids.ts";
import { openStore } from "./stores.ts";
import { createRunServer, serveTested, type TestedServer } from "./tested-server.ts";

/** A server under test that takes appends. */
export interface HttpAppendServer extends TestedServer {
  /** The number of events that the log holds. */
  count(): Promise<number>;
}

async function serveOurs(file = "", connections = ""): Promise<void> {
  const runs = createRunEvents({ store: await openStore("sqlite", file) });
  const runIds = runIdsOf(Number(connections));
  for (const runId of runIds) await runs.create({ ownerId: OWNER, runId });
  serveTested(createRunServer(runs, "bearer"), { count: () => countEvents(runs, runIds) });
}

/** As in its README, with storage in files; every other option is the default. */
async function serveDurableStreams(dataDir = "", streams = ""): Promise<void> {
  const { DurableStreamTestServer } = await import("@durable-streams/server");
  // It prints every append over 50 ms, between the lines of the report.
  console.info = () => {};
  const server = new DurableStreamTestServer({ port: 0, dataDir });
  await server.start();
  for (let index = 0; index < Number(streams); index++) {
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
    listen: async () => Number(new URL(server.url).port),
    usage: readUsage,
    async count() {
      let count = 0;
      for (let index = 0; index < Number(streams); index++)
        count += await countMessages(urlOf(index));
      return count;
    },
  });
}

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

await runSubject({
  ours: serveOurs,
  "durable-streams": serveDurableStreams,
});
