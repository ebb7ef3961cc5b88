import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { bundle } from "./bundle.ts";

function gzipBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

it("the client takes less than 6 KiB on the way, core's share and the parser among them, and the hook 2 KiB more", async () => {
  const client = gzipBytes(await bundle('export * from "client"'));
  const both = await bundle('export * from "client"; export * from "client/react"', ["react"]);
  expect(client).toBeLessThan(6 * 1_024);
  expect(gzipBytes(both) - client).toBeLessThan(2 * 1_024);
});
