import { readFile } from "node:fs/promises";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import { expect, it } from "vitest";
import { races } from "../../src/cases/races.ts";
import { LIBSQL } from "./libsql-stores.ts";

// The others run at night.
const raced = new Set(races.map(({ name }) => name));
for (const { name, run, timeoutMs } of runEventStoreConformance(LIBSQL)) {
  if (raced.has(name)) it(name, run, timeoutMs);
}

it("the page for authors of engines shows this engine", async () => {
  const page = await readFile(new URL("../../../core/KV.md", import.meta.url), "utf8");
  const engine = await readFile(
    new URL("../../examples/libsql-engine.ts", import.meta.url),
    "utf8",
  );
  const [, shown] = /<!-- snippet: libsql-engine.ts -->\n\n```ts\n(.*?)```/s.exec(page) ?? [];
  expect(shown).toBe(engine);
});
