import { describe, expect, it } from "vitest";
import { checkHost } from "../src/rules/check-host.ts";

class Old {}

describe("checkHost", () => {
  it("checkHost accepts this host", () => {
    expect(() => checkHost(globalThis as unknown as Record<string, unknown>)).not.toThrow();
  });

  it.each([
    ["Promise.withResolvers", { Promise: Old }],
    ["Object.groupBy", { Object: Old }],
    ["Map.groupBy", { Map: Old }],
    ["Map.groupBy", { Map: undefined }],
  ])(
    "checkHost refuses a host without %s with the versions that are needed",
    (missing, lacking) => {
      expect(() => checkHost({ Promise, Object, Map, ...lacking })).toThrow(
        new TypeError(
          `@tm/run-events-core needs Node 22.12 or later, or a browser from 2024 on: this host has no ${missing}.`,
        ),
      );
    },
  );
});
