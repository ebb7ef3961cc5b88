import { createMemoryStore } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { textsIn } from "../src/texts-in.ts";
import { casesOnLeaks, LEAK_FOUND } from "./leaking-doors.ts";

describe("the memory store", () => {
  const options = { name: "the memory store", open: () => createMemoryStore() };
  it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
    await expect(run()).rejects.toThrow(LEAK_FOUND);
  });
});

describe("S20: the texts in an error", () => {
  it.each<[string, unknown]>([
    ["its message", new Error("a secret")],
    ["the key of a member", { "a secret": 1 }],
    ["a member of a member", { a: { b: ["a secret"] } }],
    ["the cause of its cause", new Error("a", { cause: new Error("b", { cause: "a secret" }) })],
    ["an error of several", new AggregateError([new Error("a"), new Error("a secret")])],
    ["a member that is not enumerable", Object.defineProperty({}, "a", { value: "a secret" })],
    ["a member under a symbol", { [Symbol("a")]: "a secret" }],
    ["a map", new Map([["a", new Set(["a secret"])]])],
    ["bytes", { args: [new TextEncoder().encode("a secret")] }],
    ["bytes as JSON has them", JSON.parse(JSON.stringify(Buffer.from("a secret")))],
  ])("S20: the texts in an error hold %s", (_, error) => {
    expect(textsIn(error).join("\n")).toContain("a secret");
  });

  it("S20: an error that leads to itself, or has getters, is looked through", () => {
    const error = Object.assign(new Error("a"), { self: {} });
    error.self = error;
    Object.defineProperty(error, "b", {
      get() {
        throw new Error("called");
      },
    });
    expect(textsIn(error)).toEqual(expect.arrayContaining(["a", "self", "b"]));
  });
});
