import { startWorkerd, type WorkerServer } from "@tm/run-events-test-servers/workerd";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { itKeeps } from "../../../conformance/test/drivers/it-keeps.ts";
import { bundleWorker } from "./bundle-worker.ts";
import { type CountedStorage, objectDoors } from "./object-doors.ts";

/** Of the cases here only the names count: they run in the object. */
const NO_STORAGE = { storage: {}, statements: () => 0 } as unknown as CountedStorage;

describe("the SQLite store in a Durable Object of workerd", () => {
  let server: WorkerServer;
  beforeAll(async () => {
    const script = await bundleWorker(new URL("kit-worker.ts", import.meta.url));
    server = await startWorkerd({ script, className: "KitObject" });
  });
  afterAll(() => server.close());

  const profile = "ci";
  itKeeps({
    store: "SQLite",
    driver: "Durable Object",
    packages: ["workerd"],
    options: { name: "Durable Object", profile, ...objectDoors(NO_STORAGE) },
    async run({ name }) {
      const answer = await fetch(`${server.url}?${new URLSearchParams({ case: name, profile })}`);
      expect(await answer.text()).toBe("");
      expect(answer.status).toBe(200);
    },
  });
});
