import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { bundle } from "./bundle.ts";

function gzipBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

it("the client is under 9.5 KiB gzipped with its part of core, the hook adds under 2 KiB, `/work` is under 8.5 KiB and `/runs` under 12.5 KiB", async () => {
  const client = gzipBytes(await bundle('export * from "@tm/run-events-client"'));
  const both = await bundle(
    'export * from "@tm/run-events-client"; export * from "@tm/run-events-client/react"',
    ["react"],
  );
  const work = gzipBytes(await bundle('export * from "@tm/run-events-client/work"'));
  const runs = gzipBytes(await bundle('export * from "@tm/run-events-client/runs"'));
  expect(client).toBeLessThan(9.5 * 1_024);
  expect(gzipBytes(both) - client).toBeLessThan(2 * 1_024);
  expect(work).toBeLessThan(8.5 * 1_024);
  expect(runs).toBeLessThan(12.5 * 1_024);
});
