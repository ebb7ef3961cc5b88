import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const PROGRAM = `
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
const runs = createRunEvents({ store: createMemoryStore() }).as("ada");
const { runId } = await runs.create();
setTimeout(() => void runs.append(runId, [{ eventType: "RUN_COMPLETED" }]), 50).unref();
for await (const event of runs.tail(runId)) console.log(event.eventType);
`;

it("a tail keeps its process alive until the run has ended, and no longer", async () => {
  // Nothing else keeps the process alive: the timer that ends the run is unreferenced.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["-C", "@tm/source", "--input-type=module", "--eval", PROGRAM],
    { cwd: join(import.meta.dirname, "..") },
  );
  expect(stdout).toBe("RUN_COMPLETED\n");
});
