import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../src/memory.ts";
import { ownerIdOf } from "../src/owner.ts";
import { createRunEvents } from "../src/run-events.ts";

describe("ownerIdOf", () => {
  it("asks for nobody only where it is left out", () => {
    expect(ownerIdOf({})).toBeNull();
    expect(ownerIdOf({ ownerId: "ada" })).toBe("ada");
  });

  it("W4: refuses an owner that is missing, so that a lost session does not see every run", async () => {
    const missing = { ownerId: undefined } as unknown as { readonly ownerId: string };
    expect(() => ownerIdOf(missing)).toThrow(TypeError);
    const runs = createRunEvents({ store: createMemoryStore() });
    await runs.create({ ownerId: "ada", runId: "r" });
    await expect(runs.read("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.get("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.cancel("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.delete("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.append("r", [{ eventType: "A" }], missing)).rejects.toThrow(TypeError);
    const tail = runs.tail("r", missing)[Symbol.asyncIterator]();
    await expect(tail.next()).rejects.toThrow(TypeError);
    await runs.close();
  });
});
