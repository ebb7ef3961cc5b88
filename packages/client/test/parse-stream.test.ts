import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStreamParser } from "../src/follow/parse-stream.ts";

type Parsed = readonly ["data", string] | readonly ["retry", number];

/** The result for a stream that arrives in these texts. */
function parse(texts: readonly string[]): Parsed[] {
  const parsed: Parsed[] = [];
  const feed = createStreamParser(
    (data) => parsed.push(["data", data]),
    (retryMs) => parsed.push(["retry", retryMs]),
  );
  texts.forEach((text) => feed(text));
  return parsed;
}

/** The same result of `eventsource-parser`. */
function parseByModel(texts: readonly string[]): Parsed[] {
  const parsed: Parsed[] = [];
  const { feed } = createParser({
    onEvent: ({ data }) => parsed.push(["data", data]),
    onRetry: (retryMs) => parsed.push(["retry", retryMs]),
  });
  texts.forEach((text) => feed(text));
  return parsed;
}

const TOKEN = fc.constantFrom(
  ..."data|data:|data: |retry:|retry: |id: 1|event: x|:|: |dat|a|5|12|\0| |  |é|{}|😀".split("|"),
  ..."\r|\n|\r\n|\n\n|\r\r|\r\n\r\n".split("|"),
);

describe("createStreamParser", () => {
  it("W22: the parser finds what eventsource-parser finds, wherever the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.array(TOKEN, { maxLength: 6 }), { maxLength: 8 }), (pieces) => {
        const texts = pieces.map((tokens) => tokens.join(""));
        const model = parseByModel(texts);
        expect(parse(texts)).toStrictEqual(model);
        expect(parse([texts.join("")])).toStrictEqual(model);
        expect(parse(texts.join("").split(""))).toStrictEqual(model);
      }),
      { numRuns: 2_000 },
    );
  });

  it("W22: the parser joins the lines of an event, and removes one space of each", () => {
    const stream =
      "retry: 250\n\n: heartbeat\n\nid: 7\nevent: run_event\ndata: a\ndata:  b\ndata\n\n";
    expect(parse([stream])).toStrictEqual([
      ["retry", 250],
      ["data", "a\n b\n"],
    ]);
  });

  it("the parser ignores an event that no blank line ends", () => {
    expect(parse(["data: whole\n\ndata: cut\n"])).toStrictEqual([["data", "whole"]]);
  });
});
