import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { SECRET_VARIABLES } from "../src/secret-variables.ts";
import { parseSettings } from "../src/settings.ts";
import { startServer } from "./start-server.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("README: the tables have a row for each variable, and no row for another", () => {
  const read = new Set<string>();
  parseSettings(new Proxy({}, { get: (_, name) => void read.add(String(name)) }));
  const rows = [...README.matchAll(/^\| `([A-Z]+(?:_[A-Z]+)*)` /gm)].map(([, name = ""]) => name);
  // A table of the store's forms has this name as its head.
  const known = [...read, "STORE_URL"];
  expect(rows.toSorted()).toEqual(known.toSorted());
  for (const name of SECRET_VARIABLES) expect(README).toContain(`\`${name}_FILE\``);
});

it("README: the server prints what the page shows, but for the port and the token", async () => {
  const [, shown = ""] =
    /<!-- snippet: greeting.txt -->\n\n```text\n(.*?)^```$/ms.exec(README) ?? [];
  const server = await startServer({ STORE_URL: null, API_TOKENS: null });
  const masked = (text: string): string =>
    text.replaceAll(/127\.0\.0\.1:\d+/g, "HOST").replace(/token {4}\S+/, "token    TOKEN");
  await expect.poll(() => masked(server.stdout())).toContain(masked(shown));
  expect(shown).not.toBe("");
});

it("OPERATING: the table of the log has a row for each line that the server writes, and no row for another", () => {
  const root = new URL("../", import.meta.url);
  const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
  const sources = globSync("src/**/*.ts", { cwd: root.pathname }).map(read).join("\n");
  const written = [...sources.matchAll(/\blog\("(\w+)"/g)].map(([, name = ""]) => name);
  const [, table = ""] = read("OPERATING.md").split("\n## Log\n");
  const rows = [...table.matchAll(/^\| (`\w+`(?:, `\w+`)*) /gm)].flatMap(([, names = ""]) =>
    names.replaceAll("`", "").split(", "),
  );
  expect(rows.toSorted()).toEqual(written.toSorted());
});
