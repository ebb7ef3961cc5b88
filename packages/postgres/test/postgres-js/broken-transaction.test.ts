import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { expect, it } from "vitest";
import { newSchema, openPool, openStore, useServer } from "../stores.ts";

const server = useServer();
const program = fileURLToPath(new URL("broken-transaction-process.ts", import.meta.url));

/** Runs the program. @returns what it wrote before it ended by an error */
async function failureOf(...args: readonly string[]): Promise<string> {
  const run = promisify(execFile)(process.execPath, ["-C", "@tm/source", program, ...args]);
  const [{ status, ...rest }] = await Promise.allSettled([run]);
  expect(status).toBe("rejected");
  return (rest as { readonly reason: { readonly stderr: string } }).reason.stderr;
}

// If these fail with a newer postgres.js, DRIVERS.md no longer needs its sentence.
const LIMIT = "TypeError: Cannot read properties of null (reading 'write')";

it("postgres.js 3.4 alone ends the process when the connection of a transaction breaks", async () => {
  expect(await failureOf(server().url)).toContain(LIMIT);
});

it("S7: nothing of a transaction whose connection breaks is committed, and no later append waits for it", async () => {
  const schema = newSchema();
  const store = await openStore(openPool(server().url), { schema });
  await store.createRun(createOf("a"));
  expect(await failureOf(server().url, schema)).toContain(LIMIT);
  expect(await readValues(store, "a")).toEqual([]);
  expect(await store.append([appendOf("a", 1)])).toMatchObject([{ outcome: "appended" }]);
});
