import { describe, expect, it } from "vitest";
import { ownerIdOf } from "../src/rules/owner.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";
import { everyCall } from "./every-call.ts";

describe("ownerIdOf", () => {
  it("ownerIdOf answers the owner that the options name", () => {
    expect(ownerIdOf({ ownerId: "ada" })).toBe("ada");
  });

  it("W4: an undefined ownerId is refused, so that a lost session does not see every run", async () => {
    const missing = { ownerId: undefined } as unknown as { readonly ownerId: string };
    expect(() => ownerIdOf(missing)).toThrow(TypeError);
    const runs = createRunEvents({ store: createMemoryStore() });
    await runs.create({ ownerId: "ada", runId: "r" });
    for (const call of everyCall(runs, "r", missing))
      await expect(call()).rejects.toThrow(TypeError);
    await runs.close();
  });

  it("W4: an ownerId that a database could not keep apart from others is refused", async () => {
    const runs = createRunEvents({ store: createMemoryStore() });
    for (const ownerId of ["u\ud800", "\udc01", "u\0"]) {
      expect(() => ownerIdOf({ ownerId })).toThrow(TypeError);
      await expect(runs.create({ ownerId })).rejects.toThrow(TypeError);
      await expect(runs.list({ ownerId })).rejects.toThrow(TypeError);
    }
    await runs.close();
  });

  it("W8: no store is asked about an id that no run can have", async () => {
    const store = new Proxy(createMemoryStore(), {
      get(target, name) {
        if (name === "close" || name === "capabilities") return Reflect.get(target, name);
        if (name === "then") return undefined;
        return () => {
          throw new Error(`The store was asked: ${String(name)}.`);
        };
      },
    });
    const runs = createRunEvents({ store });
    for (const runId of ["", "a b", "a\0", "{a}", "a".repeat(129), "\ud800"]) {
      for (const call of everyCall(runs, runId, ADA))
        await expect(call()).rejects.toMatchObject({ code: "not_found" });
    }
    await runs.close();
  });
});
