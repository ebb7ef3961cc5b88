import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { createFolder, openLibsqlStore, removeFolder } from "./libsql-stores.ts";
import { startRace } from "./store-race.ts";

it("S2 what two stores on one file append, claim and create at the same time is there once and in order", async () => {
  const folder = await createFolder();
  const stores = [await openLibsqlStore(folder), await openLibsqlStore(folder)];
  const race = await startRace(stores);
  await race.until(100);
  const { faults } = await race.stop();
  await Promise.all(stores.map((store) => store.close()));
  await removeFolder(folder);
  expect(faults).toEqual([]);
});

it("the page for authors of engines shows this engine", async () => {
  const page = await readFile(new URL("../../../core/KV.md", import.meta.url), "utf8");
  const engine = await readFile(
    new URL("../../examples/libsql-engine.ts", import.meta.url),
    "utf8",
  );
  const [, shown] = /<!-- snippet: libsql-engine.ts -->\n\n```ts\n(.*?)```/s.exec(page) ?? [];
  expect(shown).toBe(engine);
});
