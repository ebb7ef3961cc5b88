import { describe, expect, it } from "vitest";
import { ownerIdOf } from "../src/rules/owner.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";

describe("ownerIdOf", () => {
  it("ownerIdOf answers the owner that the options name", () => {
    expect(ownerIdOf({ ownerId: "ada" })).toBe("ada");
  });

  it("W4: an undefined ownerId is refused, so that a lost session does not see every run", async () => {
    const missing = { ownerId: undefined } as unknown as { readonly ownerId: string };
    expect(() => ownerIdOf(missing)).toThrow(TypeError);
    const runs = createRunEvents({ store: createMemoryStore() });
    await runs.create({ ownerId: "ada", runId: "r" });
    await expect(runs.read("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.get("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.cancel("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.delete("r", missing)).rejects.toThrow(TypeError);
    await expect(runs.append("r", [{ eventType: "A" }], missing)).rejects.toThrow(TypeError);
    const lease = { ...missing, leaseMs: 1_000 };
    await expect(runs.claim("r", lease)).rejects.toThrow(TypeError);
    await expect(runs.renew("r", 1, lease)).rejects.toThrow(TypeError);
    await expect(runs.release("r", 1, missing)).rejects.toThrow(TypeError);
    await expect(runs.work("r", lease, () => {})).rejects.toThrow(TypeError);
    const tail = runs.tail("r", missing)[Symbol.asyncIterator]();
    await expect(tail.next()).rejects.toThrow(TypeError);
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
      const notFound = { code: "not_found" };
      await expect(runs.read(runId, ADA)).rejects.toMatchObject(notFound);
      await expect(runs.get(runId, ADA)).rejects.toMatchObject(notFound);
      await expect(runs.cancel(runId, ADA)).rejects.toMatchObject(notFound);
      await expect(runs.delete(runId, ADA)).rejects.toMatchObject(notFound);
      await expect(runs.append(runId, [{ eventType: "A" }], ADA)).rejects.toMatchObject(notFound);
      const lease = { ...ADA, leaseMs: 1_000 };
      await expect(runs.claim(runId, lease)).rejects.toMatchObject(notFound);
      await expect(runs.renew(runId, 1, lease)).rejects.toMatchObject(notFound);
      await expect(runs.release(runId, 1, ADA)).rejects.toMatchObject(notFound);
      await expect(runs.work(runId, lease, () => {})).rejects.toMatchObject(notFound);
      const tail = runs.tail(runId, ADA)[Symbol.asyncIterator]();
      await expect(tail.next()).rejects.toMatchObject(notFound);
    }
    await runs.close();
  });
});
