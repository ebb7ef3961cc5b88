import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { bundle } from "./bundle.ts";

function gzipBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

/** The bytes of what all of these doors need at first, once. */
async function sizeOf(...doors: readonly string[]): Promise<number> {
  const code = doors.map((door) => `export * from "@tm/run-events-client${door}";`).join("\n");
  return sizeOfCode(code);
}

async function sizeOfCode(code: string): Promise<number> {
  return gzipBytes(await bundle(code, { external: ["react"], isFirstLoad: true }));
}

it("the client is under 11.5 KiB gzipped with its part of core, `/work` under 10.5 KiB, `/runs` under 12.5 KiB", async () => {
  // One reader follows a run, many runs and the list. With a reader of its own for one run, the client alone took 1.5 KiB less, and a page
  // with the hooks 1.5 KiB more.
  expect(await sizeOf("")).toBeLessThan(11.5 * 1_024);
  expect(await sizeOf("/work")).toBeLessThan(10.5 * 1_024);
  expect(await sizeOf("/runs")).toBeLessThan(12.5 * 1_024);
});

it("the hooks, and the stores without a framework, add under 5.25 KiB to the client, and `useRun` alone under 3 KiB", async () => {
  // Until they had `tail`, earlier events, cancel, folds, schemas and `initial`, it was 2 KiB. Until all runs of a page shared one
  // connection, it was 3.5 KiB: the other half reads streams of many runs, and lists.
  const client = await sizeOf("");
  expect((await sizeOf("", "/react")) - client).toBeLessThan(5.25 * 1_024);
  expect((await sizeOf("", "/store")) - client).toBeLessThan(5.25 * 1_024);
  const one = `export { useRun } from "@tm/run-events-client/react";
    export { followRun, startRun } from "@tm/run-events-client";`;
  expect((await sizeOfCode(one)) - client).toBeLessThan(3 * 1_024);
});
