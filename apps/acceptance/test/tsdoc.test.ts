import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emitTypes } from "../src/published/emit-types.ts";
import { type PublishedNames, readNames } from "../src/published/read-names.ts";

describe("the published types", () => {
  let names: PublishedNames;
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-events-types-"));
    names = readNames(await emitTypes(folder));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("every export has a comment, which begins with a sentence", () => {
    const without = names.exported.filter(({ text }) => !/^\p{Lu}[^]*?\.(?=\s|$)/u.test(text));
    expect(names.exported.length).toBeGreaterThan(100);
    expect(without.map(({ place }) => place)).toEqual([]);
  });

  it("every `{@link}` leads to a declaration, or to a web address", () => {
    const broken = names.links.filter(({ leads }) => !leads);
    expect(names.links.length).toBeGreaterThan(0);
    expect(broken.map(({ place, text }) => `${place}: ${text}`)).toEqual([]);
  });
});
