import { startWorkerd, type WorkerServer } from "@tm/run-events-test-servers/workerd";
import { beforeAll, expect } from "vitest";
import { bundleWorker } from "./bundle-worker.ts";

/** The worker of a file of tests. */
interface TestWorker {
  /** Asks it for the JSON of a path. */
  readonly ask: (name: string) => Promise<unknown>;
  /** Kills its runtime, and starts it on the same data. */
  readonly crash: () => Promise<void>;
}

/** Starts a worker before the tests of a file, and ends it after them. */
export function startWorker(file: string): TestWorker {
  const starting = Promise.withResolvers<WorkerServer>();
  beforeAll(async () => {
    const script = await bundleWorker(new URL(file, import.meta.url));
    const server = await startWorkerd({ script, className: "StoreObject" });
    starting.resolve(server);
    return () => server.close();
  });
  return {
    async ask(name) {
      const { url } = await starting.promise;
      const answer = await fetch(`${url}/${name}`);
      expect(answer.status).toBe(200);
      return answer.json();
    },
    async crash() {
      const server = await starting.promise;
      await server.kill();
      await server.start();
    },
  };
}
