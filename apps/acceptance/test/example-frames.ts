import { AI_FRAMES } from "./ai-example-frames.ts";
import { OTEL_FRAMES } from "./otel-example-frames.ts";
import type { ExampleFrame } from "./example-frame.ts";
import { DRIVER_FRAMES } from "./driver-example-frames.ts";
import { KIT_FRAMES } from "./kit-example-frames.ts";

const CORE = `import { createMemoryStore, createRunEvents } from "@tm/run-events-core";`;

const MEMORY_RUNS = `
const runs = createRunEvents({ store: createMemoryStore() });
onEnd(() => runs.close());`;

const PRINTED = `
const printed: unknown[][] = [];
const console = { log: (...parts: unknown[]) => printed.push(parts) };`;

const ANSWER = `
async function* answer(_signal: AbortSignal) {
  yield "Tea";
  yield "is";
}`;

const CLIENT_RUN = `
const baseUrl = url;
const client = createClient({ baseUrl, credential: { bearer: token } });
const { runId } = await client.create();`;

const CORE_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/core/src/create-run-events.ts: createRunEvents": {
    imports: CORE,
    before: PRINTED,
    after: "await runs.close(); return printed;",
    result: [
      [1, "RUN_STARTED", null],
      [2, "RUN_COMPLETED", { answer: 42 }],
    ],
  },
  "packages/core/src/run-events.ts: RunEvents.work": {
    imports: CORE,
    before: `${MEMORY_RUNS}
      const { runId } = await runs.create({ ownerId: "ada" });
      async function* speak() {
        yield "Tea";
      }
      const stream = speak();`,
    after: 'return [answer, (await runs.get(runId, { ownerId: "ada" })).runStatus];',
    result: [{ words: 3 }, "completed"],
  },
  "packages/core/src/run-events.ts: RunEvents.start": {
    imports: CORE,
    before: MEMORY_RUNS,
    after: 'return [await done, (await runs.get(runId, { ownerId: "ada" })).runStatus];',
    result: [{ words: 1 }, "completed"],
  },
  "packages/core/src/store/memory.ts: createMemoryStore": {
    imports: CORE,
    after: 'return (await runs.create({ ownerId: "ada" })).runStatus;',
    result: "queued",
  },
};

const HTTP_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/http/src/fetch/handler.ts: createHandler": {
    imports: `${CORE}\nimport { createHandler } from "@tm/run-events-http";`,
    before: MEMORY_RUNS,
    after: "return response.status;",
    result: 200,
  },
  "packages/http/src/node/node-handler.ts: createNodeHandler": {
    imports: `${CORE}
      import { once } from "node:events";
      import { createServer as create, type RequestListener, type Server } from "node:http";
      import type { AddressInfo } from "node:net";
      import { createNodeHandler } from "@tm/run-events-http/node";`,
    before: `${MEMORY_RUNS}
      const authenticate = () => ({ userId: "ada", credential: "bearer" }) as const;
      const listening = Promise.withResolvers<Server>();
      const createServer = (listener: RequestListener) => ({
        listen: (_port: number) => listening.resolve(create(listener).listen(0, "127.0.0.1")),
      });`,
    after: `
      const server = await listening.promise;
      onEnd(() => server.close());
      onEnd(() => server.closeAllConnections());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      return (await fetch("http://127.0.0.1:" + port + "/v1/agent-runs")).status;`,
    result: 200,
  },
};

const CLIENT_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/client/src/follow/follow-run.ts: followRun": {
    imports: `
      import { type FollowOptions, followRun as follow } from "@tm/run-events-client";
      import { createClient } from "@tm/run-events-client/runs";`,
    before: `${CLIENT_RUN}${PRINTED}
      await client.append(runId, [{ eventType: "STEP" }, { eventType: "RUN_COMPLETED" }]);
      const followRun = (options: FollowOptions) =>
        follow({ ...options, baseUrl, credential: { bearer: token } });`,
    after: "return printed;",
    result: [
      [1, "STEP"],
      [2, "RUN_COMPLETED"],
    ],
  },
  "packages/client/src/react.ts: useRun": {
    imports: `
      import { createElement } from "react";
      import { renderToString } from "react-dom/server";
      import { useRun } from "@tm/run-events-client/react";`,
    before: "function View({ runId }: { readonly runId: string }) {",
    after: `return createElement("p", null, events.length + " " + hasEarlier); }
      return renderToString(createElement(View, { runId: "r" }));`,
    result: "<p>0 false</p>",
  },
  "packages/client/src/react.ts: useRunFold": {
    imports: `
      import { createElement } from "react";
      import { renderToString } from "react-dom/server";
      import { useRunFold } from "@tm/run-events-client/react";`,
    before: "function View({ runId }: { readonly runId: string }) {",
    after: `return createElement("p", null, "text: " + text); }
      return renderToString(createElement(View, { runId: "r" }));`,
    result: "<p>text: </p>",
  },
  "packages/client/src/react.ts: useRuns": {
    imports: `
      import { createElement } from "react";
      import { renderToString } from "react-dom/server";
      import { useRuns } from "@tm/run-events-client/react";`,
    before: "function List() {",
    after: `return createElement("p", null, runs.length + " " + hasMore + " " + typeof loadMore); }
      return renderToString(createElement(List));`,
    result: "<p>0 false function</p>",
  },
  "packages/client/src/store.ts: createRunsStore": {
    imports: `
      import { createRunsStore as create, type RunsOptions } from "@tm/run-events-client/store";
      import { createClient } from "@tm/run-events-client/runs";`,
    before: `${CLIENT_RUN}
      await client.append(runId, [{ eventType: "STEP" }]);
      const shown = Promise.withResolvers<readonly unknown[]>();
      const show = (runs: readonly { readonly last: unknown }[]) =>
        runs.some(({ last }) => last !== null) && shown.resolve(runs);
      const createRunsStore = (options: RunsOptions) =>
        create({ ...options, baseUrl, credential: { bearer: token } });`,
    after: "const { length } = await shown.promise; unsubscribe(); return length;",
    result: 1,
  },
  "packages/client/src/store.ts: createRunStore": {
    imports: `
      import { createRunStore as create, type RunOptions } from "@tm/run-events-client/store";
      import { createClient } from "@tm/run-events-client/runs";`,
    before: `${CLIENT_RUN}
      await client.append(runId, [{ eventType: "STEP" }, { eventType: "RUN_COMPLETED" }]);
      const shown = Promise.withResolvers<readonly unknown[]>();
      const show = (events: readonly unknown[]) => events.length === 2 && shown.resolve(events);
      const createRunStore = (id: string, options: RunOptions) =>
        create(id, { ...options, baseUrl, credential: { bearer: token } });`,
    after: "const { length } = await shown.promise; unsubscribe(); return length;",
    result: 2,
  },
  "packages/client/src/store.ts: createRunFold": {
    imports: `
      import { createRunFold as create, type Reducer } from "@tm/run-events-client/store";
      import { createClient } from "@tm/run-events-client/runs";`,
    before: `${CLIENT_RUN}
      await client.append(runId, [{ eventType: "TOKEN" }, { eventType: "RUN_COMPLETED" }]);
      const shown = Promise.withResolvers<number>();
      const show = (count: number) => count === 1 && shown.resolve(count);
      const createRunFold = (id: string, initial: number, reducer: Reducer<number>) =>
        create(id, initial, reducer, { baseUrl, credential: { bearer: token } });`,
    after: "const count = await shown.promise; unsubscribe(); return count;",
    result: 1,
  },
  "packages/client/src/runs/create-client.ts: createClient": {
    imports: `import { createClient } from "@tm/run-events-client/runs";`,
    before: "const baseUrl = url;",
    after: "return [events.length, (await runs.get(runId)).runStatus];",
    result: [1, "cancelled"],
  },
  "packages/client/src/write/start-run.ts: startRun": {
    imports: `
      import { startRun } from "@tm/run-events-client";
      import { createClient } from "@tm/run-events-client/runs";`,
    before: `const baseUrl = url; ${ANSWER}`,
    after: `
      const { events } = await createClient({ baseUrl, credential: { bearer: token } }).events(run.runId);
      return events.map(({ eventType }) => eventType);`,
    result: ["RUN_STARTED", "TOKEN", "TOKEN", "RUN_COMPLETED"],
  },
  "packages/client/src/write/work-run.ts: workRun": {
    imports: `
      import { workRun } from "@tm/run-events-client/work";
      import { createClient } from "@tm/run-events-client/runs";`,
    before: `${CLIENT_RUN}${ANSWER}`,
    after: "return (await client.events(runId)).events.map(({ eventType }) => eventType);",
    result: ["TOKEN", "TOKEN", "RUN_COMPLETED"],
  },
};

const STORE_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/postgres/src/postgres-store.ts: createPostgresStore": {
    imports: `
      import driver from "pg";
      import { createPostgresStore } from "@tm/run-events-postgres";`,
    before: `
      const connectionString = await postgresUrl();
      class Pool extends driver.Pool {
        constructor(config: driver.PoolConfig) {
          super(config);
          onEnd(() => this.end());
        }
      }
      const pg = { Pool };`,
    after: "await store.verify(); await store.close(); return store.capabilities.shared;",
    result: true,
  },
  "packages/redis/src/redis-store.ts: openRedisStore": {
    imports: `
      import { Redis as Client } from "ioredis";
      import { createRunEvents } from "@tm/run-events-core";
      import { openRedisStore } from "@tm/run-events-redis";`,
    before: `
      const address = await redisUrl();
      class Redis extends Client {
        constructor(_url: string, options: { readonly reconnectOnError: (error: Error) => boolean }) {
          super(address, options);
          onEnd(() => this.disconnect());
        }
      }`,
    after: `
      const { runStatus } = await runs.create({ ownerId: "ada" });
      await runs.close();
      return runStatus;`,
    result: "queued",
  },
  "packages/sqlite/src/sqlite-store.ts: createSqliteStore": {
    imports: `
      import { join } from "node:path";
      import BetterSqlite3 from "better-sqlite3";
      import { createRunEvents } from "@tm/run-events-core";
      import { createSqliteStore } from "@tm/run-events-sqlite";`,
    before: `
      class Database extends BetterSqlite3 {
        constructor(name: string) {
          super(join(folder, name));
          onEnd(() => this.close());
        }
      }`,
    after: `
      const { runStatus } = await runs.create({ ownerId: "ada" });
      await runs.close();
      return runStatus;`,
    result: "queued",
  },
};

/** The frame of each `@example` of the published types, by the file and the name of its comment. */
export const EXAMPLE_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  ...AI_FRAMES,
  ...OTEL_FRAMES,
  ...CORE_FRAMES,
  ...HTTP_FRAMES,
  ...CLIENT_FRAMES,
  ...STORE_FRAMES,
  ...KIT_FRAMES,
  ...DRIVER_FRAMES,
};
