import { expect, it } from "vitest";
import { anchorsOf } from "../src/page-anchors.ts";
import { linksOf } from "../src/page-links.ts";

it.each([
  ["## How fast?", "how-fast"],
  ["### node:http", "nodehttp"],
  ["## Where a store's data is, and why", "where-a-stores-data-is-and-why"],
  ["# `cursor_ahead`", "cursor_ahead"],
  ["# The option `max*Bytes*`", "the-option-maxbytes"],
  ["## Postgres & Redis — both", "postgres--redis--both"],
  ["## Claim / renew", "claim--renew"],
  ["## A [link](x.md#y) and *more* of __it__ in snake_case", "a-link-and-more-of-it-in-snake_case"],
  ["## Größe 2.0 ##", "größe-20"],
  ["#### 5. Many processes", "5-many-processes"],
])("the anchor of the heading %s is %s", (heading, anchor) => {
  expect([...anchorsOf(`Text\n\n${heading}\n\nText`)]).toEqual([anchor]);
});

it("repeated headings are numbered, past the anchors of others", () => {
  const page = "# Test\n\n# Test 1\n\n# Test\n\n# Test\n";
  expect([...anchorsOf(page)]).toEqual(["test", "test-1", "test-2", "test-3"]);
});

it("an `<a id>` is an anchor, in a list and in a table; one in code is not", () => {
  const page = '- <a id="w1"></a>**W1** …\n\n| <a id="s1"></a>**S1** | x |\n\n`<a id="no">`\n';
  expect([...anchorsOf(page)]).toEqual(["w1", "s1"]);
});

it("neither headings nor links in code blocks and comments count", () => {
  const page = "```sh\n# not a heading\n[a](b.md)\n```\n<!--\n# nor this [a](c.md)\n-->\n";
  expect([...anchorsOf(page)]).toEqual([]);
  expect(linksOf(page)).toEqual([]);
});

it.each([
  ["[a](b.md)", { path: "b.md", fragment: "" }],
  ["[a](../b.md#c)", { path: "../b.md", fragment: "c" }],
  ["[a](#c)", { path: "", fragment: "c" }],
  ["[`a`](<b.md#c>)", { path: "b.md", fragment: "c" }],
  ['[a](b.md "its title")', { path: "b.md", fragment: "" }],
  ["[a](b%20c.md#gr%C3%B6%C3%9Fe)", { path: "b c.md", fragment: "größe" }],
  ['<img alt="a" src="b.png">', { path: "b.png", fragment: "" }],
])("%s is a link", (page, link) => {
  expect(linksOf(page)).toEqual([link]);
});

it.each(["`[a](b.md)`", "[a](https://example.org/b.md#c)", "[a](mailto:a@example.org)"])(
  "%s is not a link to a file",
  (page) => {
    expect(linksOf(page)).toEqual([]);
  },
);
