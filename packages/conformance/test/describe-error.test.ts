import { runEventStoreConformance } from "@tm/run-events-conformance";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import { expect, it } from "vitest";

/** The kit's message about a store whose `read` throws this. */
async function messageOf(thrown: unknown): Promise<string> {
  const cases = runEventStoreConformance({
    name: "mine",
    open: () => ({ ...createMemoryStore(), read: () => Promise.reject(thrown) }),
  });
  const [first] = cases.filter(({ name }) => name.startsWith("S16 a new run"));
  const failure = await first?.run().then(
    () => null,
    (error: Error) => error,
  );
  return failure?.message ?? "";
}

it("S20: a failure has the store's error, the driver's beneath it, and where it was thrown", async () => {
  const driver = Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
  const error = new RunEventsError("store_unavailable", "SQLite failed.", { cause: driver });
  const lines = (await messageOf(error)).split("\n");
  expect(lines.slice(1, 3)).toEqual([
    "SQLite failed.",
    "  caused by Error: database is locked (SQLITE_BUSY)",
  ]);
  expect(lines[3]).toMatch(/^ {4}at .*describe-error\.test\.ts/);
});

it("a mistake in the store's code is shown with its place", async () => {
  const lines = (await messageOf(new TypeError("it is not a function"))).split("\n");
  expect(lines[1]).toBe("it is not a function");
  expect(lines[2]).toMatch(/^ {4}at .*describe-error\.test\.ts/);
});
