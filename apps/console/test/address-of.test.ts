import { RunEventsError } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { addressOf } from "../src/api.ts";

/** An error as the client makes it of a problem with this type. */
function problemOf(type: unknown): RunEventsError {
  const details = { type, lastSequence: 1 };
  return new RunEventsError("fenced", "Why.", { details });
}

it("W3: a problem links to the page of a code on this server, and nowhere else", () => {
  expect(addressOf(problemOf("/v1/errors/fenced"))).toBe("/v1/errors/fenced");
  const foreign = fc.oneof(
    fc.constantFrom(
      "about:blank",
      "javascript:alert(1)",
      "//evil.example/v1/errors/fenced",
      "https://evil.example/v1/errors/fenced",
      "/v1/errors/",
      "/v1/errors/../session",
      "/v1/errors/%2e%2e/session",
      "/v1/errors/fenced?next=//evil.example",
      "/v1/errors/fenced\n",
      "/v1/errors//evil.example",
      " /v1/errors/fenced",
    ),
    fc.webUrl(),
    fc.jsonValue({ maxDepth: 1 }),
    fc
      .tuple(fc.constant("/v1/errors/"), fc.string({ unit: "binary" }))
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(foreign, (type) => {
      const address = addressOf(problemOf(type));
      if (address === null) return;
      expect(address).toBe(type);
      const { origin, pathname, search, hash } = new URL(address, "https://app.example");
      expect([origin, pathname, search, hash]).toEqual(["https://app.example", type, "", ""]);
      expect(pathname.startsWith("/v1/errors/")).toBe(true);
    }),
  );
});

it("an error that is not a problem has no address", () => {
  for (const error of [
    null,
    undefined,
    "text",
    new Error("no"),
    { details: { type: "/v1/errors/a" } },
  ])
    expect(addressOf(error)).toBe(null);
  expect(addressOf(new RunEventsError("internal", "no"))).toBe(null);
});

it("W22: an error of a stream, which has no address, links to the page of its code", () => {
  expect(addressOf(new RunEventsError("not_found", "no"))).toBe("/v1/errors/not_found");
  expect(addressOf(new RunEventsError("store_unavailable", "no", { retryable: true }))).toBe(null);
});
