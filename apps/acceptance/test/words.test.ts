import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { listTracked, ROOT } from "../src/read-pages.ts";

/** Words that the project does not use, each with what to write instead. `docs/glossary.md` has the words that it uses. */
const BANNED: Readonly<Record<string, string>> = {
  whoever: "the caller, a client that, anyone who",
  whatever: "any, every, no matter what",
  somebody: "another client, another worker, a caller",
  nobody: "no client, no worker, no reader",
  anew: "again",
  bell: "notification",
  ring: "notify",
  rings: "notifies",
  told: "notified, sent, called with",
  tells: "notifies, sends, shows",
  hears: "receives, is subscribed",
  beside: "next to, besides, with",
};

const ANY_BANNED = new RegExp(`\\b(?:${Object.keys(BANNED).join("|")})\\b`, "gi");

/** Files that commands write, and this file. */
const EXEMPT = /(^|\/)CHANGELOG\.md$|^apps\/acceptance\/test\/words\.test\.ts$/;

it("no file has a word that docs/glossary.md replaces", async () => {
  const found: string[] = [];
  for (const path of await listTracked("*.ts", "*.tsx", "*.md")) {
    if (EXEMPT.test(path)) continue;
    const lines = (await readFile(join(ROOT, path), "utf8").catch(() => "")).split("\n");
    lines.forEach((line, index) => {
      for (const [word] of line.matchAll(ANY_BANNED))
        found.push(`${path}:${index + 1}: "${word}", write: ${BANNED[word.toLowerCase()]}`);
    });
  }
  expect(found).toEqual([]);
});
