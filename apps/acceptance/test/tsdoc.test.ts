import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLAUSE_PAGES } from "../src/clause-table.ts";
import { docCommentsOf, hasFirstSentence, unnamedPagesOf } from "../src/doc-comments.ts";
import { emitTypes } from "../src/published/emit-types.ts";
import { type PublishedNames, readNames } from "../src/published/read-names.ts";
import { listTracked, publisherOf, readPacked, ROOT } from "../src/read-pages.ts";

/** Where the use of each package begins: its door and the name. */
const ENTRY_POINTS = [
  "ai/ai-sdk: createChats",
  "ai/assistant-ui: createRunEventsResumableStreamStore",
  "ai/resumable-stream: createResumableStreamContext",
  "ai/tanstack-ai: runEventsStream",
  "core: createRunEvents",
  "core: createMemoryStore",
  "http: createHandler",
  "http/node: createNodeHandler",
  "client: followRun",
  "client: startRun",
  "client/react: useRun",
  "client/react: useRunFold",
  "client/runs: createClient",
  "client/store: createRunStore",
  "client/store: createRunFold",
  "client/work: workRun",
  "sqlite: createSqliteStore",
  "postgres: createPostgresStore",
  "redis: openRedisStore",
  "otel: createOtelTelemetry",
  "conformance: runEventStoreConformance",
  "conformance/http: runHttpConformance",
  "conformance/http: runReaderConformance",
  "conformance/processes: runProcessConformance",
  "conformance/vitest: testEventStore",
  "conformance/node: testEventStore",
  "conformance/bun: testEventStore",
  "conformance/file-examples: createFileExamples",
];

async function readComments(): Promise<
  readonly { readonly place: string; readonly text: string }[]
> {
  const paths = await listTracked("packages/*/src/*.ts", "apps/*/src/*.ts", "apps/*/src/*.tsx");
  const read = paths.map(async (path) => {
    const comments = docCommentsOf(await readFile(join(ROOT, path), "utf8"));
    return comments.map(({ line, text }) => ({ place: `${path}:${line}`, text }));
  });
  return (await Promise.all(read)).flat();
}

describe("the doc comments of the sources", () => {
  it("name the page of each clause that they cite", async () => {
    const comments = await readComments();
    const bare = comments.flatMap(({ place, text }) =>
      unnamedPagesOf(text, () => false).map((page) => `${place}: write "clause … in ${page}"`),
    );
    expect(comments.length).toBeGreaterThan(2000);
    expect(bare).toEqual([]);
  });

  it("begin a line with each `@throws`", async () => {
    const within = (await readComments()).filter(({ text }) => /\S[^\n]*@throws/.test(text));
    expect(within.map(({ place }) => place)).toEqual([]);
  });
});

describe("the published types", () => {
  let names: PublishedNames;
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-events-types-"));
    names = readNames(await emitTypes(folder));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("every export has a comment, whose first sentence stands alone", () => {
    const without = names.exported.filter(({ text }) => !hasFirstSentence(text));
    expect(names.exported.length).toBeGreaterThan(340);
    expect(without.map(({ place }) => place)).toEqual([]);
  });

  it("every optional number or boolean of options has a default value, or says what is without it", () => {
    const without = names.settings.filter(
      ({ text }) => !text.includes("@defaultValue") && !text.includes("Without it"),
    );
    expect(names.settings.length).toBeGreaterThan(65);
    expect(without.map(({ place }) => place)).toEqual([]);
  });

  it("every entry point has an example", () => {
    const shown = names.exported.filter(({ text }) => /^@example\n/m.test(text));
    const places = shown.map(({ place }) => place.replace(/^@tm\/run-events-/, ""));
    expect(places).toEqual(expect.arrayContaining(ENTRY_POINTS));
  });

  it("no option is mapped from another type: editors show no comment of such a member", () => {
    expect(names.mapped).toEqual([]);
  });

  it("every `{@link}` leads to a declaration, or to a web address", () => {
    const broken = names.links.filter(({ leads }) => !leads);
    expect(names.links.length).toBeGreaterThan(40);
    expect(broken.map(({ place, text }) => `${place}: ${text}`)).toEqual([]);
  });

  it("an error that is described elsewhere has a `{@link}` to there", () => {
    const dead = names.comments.filter(({ text }) => /@throws[^@]*\bas (?:from |of )?`/.test(text));
    expect(dead.map(({ place }) => place)).toEqual([]);
  });

  it("a clause is cited with its page and, from another package, with the name of the package", async () => {
    const bare = names.comments.flatMap(({ place, text }) => {
      const isOfAnother = ({ path }: { readonly path: string }): boolean =>
        !place.startsWith(`${path.slice(0, path.lastIndexOf("/"))}/`);
      return unnamedPagesOf(text, isOfAnother).map((page) => `${place}: write "… in ${page}"`);
    });
    expect(bare).toEqual([]);
    const packed = await readPacked();
    for (const { path } of Object.values(CLAUSE_PAGES)) {
      expect(publisherOf(path, packed)).not.toBeNull();
    }
  });
});

it.each([
  ["Makes a store.", true],
  ["Makes a store,\nof rows. It never throws. @see x", true],
  ["Makes a store\n@see x.", false],
  ["@throws Error. Always.", false],
  ["`made`: there is a store.", false],
  ["As `createStore`.", false],
  ["The same, for runs.", false],
  ["", false],
])("whether %j begins with a sentence of its own: %s", (text, expected) => {
  expect(hasFirstSentence(text)).toBe(expected);
});

it.each([
  ["Reads a page. @see clause S9 in `STORE.md` of `@tm/run-events-core`", []],
  ["Reads a page. @see clause S9 in `STORE.md`", ["`STORE.md` of `@tm/run-events-core`"]],
  ["Ends with a frame (W22).", ["`WIRE.md` of `@tm/run-events-http`"]],
  ["Gives a lease of 5 s. @example `S9`", []],
])("what %j has to name: %j", (text, expected) => {
  expect(unnamedPagesOf(text, () => true)).toEqual(expected);
});
