import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";

/** The gzipped bytes of what a page loads, minified, with its part of core. @param own whether the client is left out */
async function sizeOf(own: boolean): Promise<number> {
  const build = await rolldown({
    input: fileURLToPath(new URL("../../src/ai-sdk-page.ts", import.meta.url)),
    external: own ? [/^@tm\/run-events-client/] : [],
    platform: "browser",
    resolve: { conditionNames: ["@tm/source", "import", "browser"] },
  });
  try {
    const { output } = await build.generate({
      format: "esm",
      minify: true,
      comments: false,
      codeSplitting: false,
    });
    return gzipSync(output[0].code, { level: 9 }).length;
  } finally {
    await build.close();
  }
}

it("the transport is under 3.1 KiB gzipped in a page, and under 19 KiB with the client that reads the runs", async () => {
  expect(await sizeOf(true)).toBeLessThan(3.1 * 1_024);
  expect(await sizeOf(false)).toBeLessThan(19 * 1_024);
});
