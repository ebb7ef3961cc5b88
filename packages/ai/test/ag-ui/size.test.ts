import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";

it("a page loads under 2 KiB gzipped besides the client of AG-UI", async () => {
  const build = await rolldown({
    input: fileURLToPath(new URL("../../src/ag-ui-page.ts", import.meta.url)),
    external: ["@ag-ui/client"],
    platform: "browser",
    resolve: { conditionNames: ["@tm/source", "import", "browser"] },
  });
  const { output } = await build.generate({ format: "esm", minify: true, comments: false });
  await build.close();
  expect(output).toHaveLength(1);
  expect(gzipSync(output[0].code, { level: 9 }).length).toBeLessThan(2 * 1_024);
});
