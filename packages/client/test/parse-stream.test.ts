import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStreamParser } from "../src/follow/parse-stream.ts";

type Heard = readonly ["data", string] | readonly ["retry", number];

/** What comes of a stream that arrives in these texts. */
function parse(texts: readonly string[]): Heard[] {
  const heard: Heard[] = [];
  const feed = createStreamParser(
    (data) => heard.push(["data", data]),
    (retryMs) => heard.push(["retry", retryMs]),
  );
  texts.forEach((text) => feed(text));
  return heard;
}

/** The same of a parser that many use. */
function parseByModel(texts: readonly string[]): Heard[] {
  const heard: Heard[] = [];
  const { feed } = createParser({
    onEvent: ({ data }) => heard.push(["data", data]),
    onRetry: (retryMs) => heard.push(["retry", retryMs]),
  });
  texts.forEach((text) => feed(text));
  return heard;
}

const TOKEN = fc.constantFrom(
  ..."data|data:|data: |retry:|retry: |id: 1|event: x|:|: |dat|a|5|12|\0| |  |é|{}|😀".split("|"),
  ..."\r|\n|\r\n|\n\n|\r\r|\r\n\r\n".split("|"),
);

describe("createStreamParser", () => {
  it("W22: finds what eventsource-parser finds, wherever the stream is cut", () => {
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

  it("W22: joins the lines of an event, and takes one space off each", () => {
    const stream =
      "retry: 250\n\n: heartbeat\n\nid: 7\nevent: run_event\ndata: a\ndata:  b\ndata\n\n";
    expect(parse([stream])).toStrictEqual([
      ["retry", 250],
      ["data", "a\n b\n"],
    ]);
  });

  it("leaves out an event that no blank line ends", () => {
    expect(parse(["data: whole\n\ndata: cut\n"])).toStrictEqual([["data", "whole"]]);
  });
});
