import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countWords, findSentences, meanWords, splitSentences } from "../src/sentences.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** In words. House rules ask for 15 and 20. These bounds leave room for a sentence that is one list. */
const MOST = { mean: 17, sentence: 40 };

/** Pages that are not measured. */
const EXCEPTED: readonly RegExp[] = [
  // Notes on changes: a line of a list for each, and a release fixes their text.
  /^\.changeset\//,
  /(^|\/)CHANGELOG\.md$/,
  // Results and profiles of the bench: what was recorded then. A command writes the results.
  /^apps\/bench\/(results|profiles)\//,
];

async function readPages(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("git", ["ls-files", "*.md"], { cwd: ROOT });
  return stdout
    .trim()
    .split("\n")
    .filter((path) => !EXCEPTED.some((pattern) => pattern.test(path)));
}

describe("every page that people read", () => {
  it(`has ${MOST.mean} words a sentence at most on average, and none of over ${MOST.sentence}`, async () => {
    const long: string[] = [];
    let count = 0;
    for (const page of await readPages()) {
      const sentences = findSentences(await readFile(join(ROOT, page), "utf8"));
      count += sentences.length;
      const mean = meanWords(sentences);
      if (mean > MOST.mean) long.push(`${page}: ${mean.toFixed(1)} words a sentence on average`);
      for (const { text, words } of sentences)
        if (words > MOST.sentence) long.push(`${page}: ${words} words: ${text}`);
    }
    expect(long.join("\n")).toBe("");
    // A reader that finds no prose would find no long sentence either.
    expect(count).toBeGreaterThan(1500);
  });
});

const word = fc
  .stringMatching(/^[a-z]{2,9}$/)
  .filter((text) => !/^(vs|cf|approx|resp)$/.test(text));
const sentence = fc
  .tuple(
    fc.array(word, { minLength: 3, maxLength: 12 }),
    fc.constantFrom(".", "!", "?", '."', ".)"),
  )
  .map(([words, end]) => `${words.join(" ")}${end}`);
const sentences = fc.array(sentence, { minLength: 1, maxLength: 6 });
const texts = (page: string): readonly string[] => findSentences(page).map(({ text }) => text);

describe("the split into sentences", () => {
  it("gives back the sentences that a text was joined from", () => {
    fc.assert(
      fc.property(sentences, (parts) => {
        expect(splitSentences(parts.join(" "))).toEqual(parts);
      }),
    );
  });

  it("loses no word of any text, and adds none", () => {
    const piece = fc.oneof(word, sentence, fc.constantFrom("e.g. x", "…", "a. B", "1.5", ". ."));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join(" ");
        const parts = splitSentences(text);
        expect(parts.join(" ")).toBe(text);
        expect(parts.reduce((sum, part) => sum + countWords(part), 0)).toBe(countWords(text));
      }),
    );
  });

  it.each([
    ["e.g. and i.e. end none", "Some, e.g. this, i.e. it. Then more vs. less.", 2],
    ["a number with a point ends none", "It takes 1.5 ms of p99.9 time. So it is.", 2],
    ["a unit of one letter ends one", "It waits 15 s. Then it goes on.", 2],
    ["a colon and a semicolon end none", "It does this: one thing; then another thing.", 1],
    ["a closing quote belongs to the sentence", 'It says "done." Then it ends.', 2],
    ["one may begin with a small letter", "It is done. run-events goes on.", 2],
  ])("%s", (_what, text, count) => {
    expect(splitSentences(text)).toHaveLength(count);
  });
});

describe("the sentences of a page", () => {
  it("are the same in a paragraph, over several lines, in a list and in a quote", () => {
    fc.assert(
      fc.property(sentences, (parts) => {
        expect(texts(parts.join(" "))).toEqual(parts);
        expect(texts(parts.join("\n"))).toEqual(parts);
        expect(texts(parts.map((part) => `- ${part}`).join("\n"))).toEqual(parts);
        expect(texts(parts.map((part, index) => `${index + 1}. ${part}`).join("\n"))).toEqual(
          parts,
        );
        expect(texts(parts.map((part) => `> ${part}`).join("\n"))).toEqual(parts);
      }),
    );
  });

  it.each([
    ["a heading", "## A heading that is not a sentence"],
    ["a table", "| a | b |\n|---|---|\n| this cell. Has | two of them. |"],
    ["a block of code", "```ts\nconst it = 1; // No prose. At all here.\n```"],
    ["a block of code in a list", "- ```sh\n  run this. And that there.\n  ```"],
    ["a block that has a fence in it", "````md\n```\nno prose. At all here.\n```\n````"],
    ["a comment over lines", "<!-- not shown.\nNor is this. -->"],
    ["HTML", "<details>\n<summary>Not this. Nor this one.</summary>\n</details>"],
    ["a rule", "---"],
    ["a picture", "![A picture. Of two sentences.](a.png)"],
  ])("leave out %s, which ends a paragraph", (_what, block) => {
    fc.assert(
      fc.property(sentences, sentences, (before, after) => {
        const page = `${before.join(" ")}\n\n${block}\n\n${after.join(" ")}\n`;
        expect(texts(page)).toEqual([...before, ...after]);
      }),
    );
  });

  it("do not count markup: emphasis, links, and a code span, which is one word", () => {
    const marked = (text: string): fc.Arbitrary<string> =>
      fc.constantFrom(text, `**${text}**`, `_${text}_`, `[${text}](a/b.md#c)`, `[${text}][ref]`);
    fc.assert(
      fc.property(
        sentences.chain((parts) =>
          fc.tuple(
            fc.constant(parts),
            fc.tuple(...parts.map((part) => fc.tuple(...part.split(" ").map(marked)))),
          ),
        ),
        ([plain, parts]) => {
          expect(texts(parts.map((words) => words.join(" ")).join(" "))).toEqual(plain);
        },
      ),
    );
    expect(findSentences("Call `f(a, b). Now` and ``a ` b`` at once.")).toEqual([
      { text: "Call code and code at once.", words: 6 },
    ]);
  });

  it("do not count text of one or two words, or what is before the page", () => {
    expect(texts("---\na: 1. And two words.\n---\n\nBy hand\n\n- `a`\n\nThis is one.")).toEqual([
      "This is one.",
    ]);
  });
});

describe("the mean of sentences", () => {
  it("is between the shortest and the longest, and is that of any order", () => {
    fc.assert(
      fc.property(sentences, (parts) => {
        const found = findSentences(parts.join(" "));
        const words = found.map((one) => one.words);
        const mean = meanWords(found);
        expect(mean).toBeGreaterThanOrEqual(Math.min(...words));
        expect(mean).toBeLessThanOrEqual(Math.max(...words));
        expect(meanWords(found.toReversed())).toBe(mean);
      }),
    );
    expect(meanWords([])).toBe(0);
  });

  it.each([
    ["1,000 users' well-known p99.9", 4],
    ["read/write, and don't → stop", 5],
    ["— … ×", 0],
  ])("counts the words of %s", (text, count) => {
    expect(countWords(text)).toBe(count);
  });
});
