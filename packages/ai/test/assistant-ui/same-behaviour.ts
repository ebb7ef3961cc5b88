import type { ResumableStreamStore } from "assistant-stream/resumable";
import { describe, expect, it } from "vitest";
import { acquireLease, bytesOf, readStore } from "./read-store.ts";

type Open = () => Promise<ResumableStreamStore>;

/**
 * Tests of the stores of `assistant-stream`, which they pass themselves. This package has to pass the same.
 * @param open makes a store that shares no stream with that of another test
 */
export function sameBehaviour(name: string, open: Open): void {
  describe(`what a store of assistant-stream does: ${name}`, () => {
    testElection(open);
    testReads(open);
    testAborts(open);
    testEnds(open);
    testLeases(open);
  });
}

function testElection(open: Open): void {
  it("the first caller is the producer, and every later one a consumer, also after the end", async () => {
    const store = await open();
    expect(await store.acquire("a")).toBe("producer");
    expect(await store.acquire("a")).toBe("consumer");
    expect(await store.acquireLease?.("a")).toEqual({ role: "consumer" });
    expect(await store.acquire("b")).toBe("producer");
    await store.finalize("a", "done");
    expect(await store.acquire("a")).toBe("consumer");
    await store.finalize("b", "error", "boom");
    expect(await store.acquire("b")).toBe("consumer");
  });

  it("the status is missing, then streaming, then that of the end", async () => {
    const store = await open();
    expect(await store.status("a")).toBe("missing");
    await store.acquire("a");
    expect(await store.status("a")).toBe("streaming");
    await store.append("a", bytesOf("1"));
    expect(await store.status("a")).toBe("streaming");
    expect(await store.finalize("a", "done")).toBe(true);
    expect(await store.status("a")).toBe("done");
    await store.acquire("b");
    expect(await store.finalize("b", "error")).toBe(true);
    expect(await store.status("b")).toBe("error");
  });

  it("an id that no stream can have is refused", async () => {
    const store = await open();
    const refused = { name: "ResumableStreamError", code: "invalid-id" };
    for (const id of ["", "a b", "é", "a/b", "x".repeat(257)]) {
      await expect(store.acquire(id)).rejects.toMatchObject(refused);
      await expect(store.status(id)).rejects.toMatchObject(refused);
    }
    const longest = "a.B_c:d-".repeat(32);
    expect(await store.acquire(longest)).toBe("producer");
    await store.finalize(longest, "done");
  });
}

function testReads(open: Open): void {
  it("a reader gets what there is, and follows the rest to the end", async () => {
    const store = await open();
    const lease = await acquireLease(store, "a");
    await store.append("a", bytesOf("hello "), lease);
    const reading = readStore(store, "a");
    await store.append("a", bytesOf("world"), lease);
    await store.append("a", bytesOf("!"), lease);
    await store.finalize("a", "done", undefined, lease);
    expect(await reading).toMatchObject({ texts: ["hello ", "world", "!"], error: null });
    expect(await readStore(store, "a")).toMatchObject({ texts: ["hello ", "world", "!"] });
  });

  it("a reader goes on after its cursor", async () => {
    const store = await open();
    await store.acquire("a");
    for (const text of ["1", "2", "3"]) await store.append("a", bytesOf(text));
    await store.finalize("a", "done");
    const { cursors } = await readStore(store, "a");
    const rests = await Promise.all(cursors.map((cursor) => readStore(store, "a", cursor)));
    expect(rests.map(({ texts }) => texts)).toEqual([["2", "3"], ["3"], []]);
  });

  it("the bytes of readers and producers are their own", async () => {
    const store = await open();
    await store.acquire("a");
    const chunk = bytesOf("a");
    await store.append("a", chunk);
    chunk.fill(0);
    await store.finalize("a", "done");
    for await (const entry of store.read("a", "", new AbortController().signal))
      entry.chunk.fill(0);
    expect((await readStore(store, "a")).texts).toEqual(["a"]);
  });

  it("a stream that does not exist cannot be read", async () => {
    const store = await open();
    const { error } = await readStore(store, "a");
    expect(error).toMatchObject({ message: "Stream not found: a" });
  });
}

function testAborts(open: Open): void {
  it("an abort ends a reader without an error, and no other reader", async () => {
    const store = await open();
    await store.acquire("a");
    await store.append("a", bytesOf("1"));
    const leaving = new AbortController();
    const entries = store.read("a", "", leaving.signal)[Symbol.asyncIterator]();
    const other = readStore(store, "a");
    expect((await entries.next()).done).toBe(false);
    const next = entries.next();
    leaving.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    await store.append("a", bytesOf("2"));
    await store.finalize("a", "done");
    expect((await other).texts).toEqual(["1", "2"]);
  });

  it("an abort before the stored error hides it", async () => {
    const store = await open();
    await store.acquire("a");
    await store.append("a", bytesOf("1"));
    await store.finalize("a", "error", "boom");
    const leaving = new AbortController();
    for await (const _ of store.read("a", "", leaving.signal)) leaving.abort();
    for await (const _ of store.read("a", "", AbortSignal.abort())) expect.unreachable();
  });
}

function testEnds(open: Open): void {
  it("a stream that failed gives what there is, and then the error of its producer", async () => {
    const store = await open();
    await store.acquire("a");
    await store.append("a", bytesOf("1"));
    const reading = readStore(store, "a");
    await store.finalize("a", "error", "boom");
    for (const read of [await reading, await readStore(store, "a")]) {
      expect(read.texts).toEqual(["1"]);
      expect(read.error).toMatchObject({ message: "boom" });
    }
    await store.acquire("b");
    await store.finalize("b", "error");
    expect((await readStore(store, "b")).error).toMatchObject({ message: "Stream errored" });
  });

  it("a stream that has ended takes no chunk, and ends once", async () => {
    const store = await open();
    const lease = await acquireLease(store, "a");
    expect(await store.finalize("a", "done", undefined, lease)).toBe(true);
    expect(await store.finalize("a", "error", "boom", lease)).toBe(false);
    expect(await store.finalize("a", "done")).toBe(false);
    const refused = { name: "ResumableStreamError", code: "finalized" };
    await expect(store.append("a", bytesOf("1"), lease)).rejects.toMatchObject(refused);
    await expect(store.append("a", bytesOf("1"))).rejects.toMatchObject(refused);
    expect(await store.status("a")).toBe("done");
  });

  it("a stream that does not exist takes no chunk, and has no end", async () => {
    const store = await open();
    await expect(store.append("a", bytesOf("1"))).rejects.toThrow("Stream not found: a");
    await expect(store.finalize("a", "done")).rejects.toThrow("Stream not found: a");
    await store.delete("a");
    expect(await store.status("a")).toBe("missing");
  });
}

function testLeases(open: Open): void {
  it("a deleted stream is missing, and its id is free", async () => {
    const store = await open();
    const lease = await acquireLease(store, "a");
    await store.append("a", bytesOf("old"), lease);
    await store.delete("a");
    expect(await store.status("a")).toBe("missing");
    await expect(store.append("a", bytesOf("1"), lease)).rejects.toThrow("Stream not found: a");
    await expect(store.finalize("a", "done", undefined, lease)).rejects.toThrow("Stream not found");
  });

  it("a producer whose stream was taken over writes nothing into the new one", async () => {
    const store = await open();
    const old = await acquireLease(store, "a");
    await store.append("a", bytesOf("old"), old);
    await store.delete("a");
    const lease = await acquireLease(store, "a");
    const refused = { name: "ResumableStreamError", code: "missing" };
    await expect(store.append("a", bytesOf("late"), old)).rejects.toMatchObject(refused);
    expect(await store.finalize("a", "error", "late", old)).toBe(false);
    await store.append("a", bytesOf("new"), lease);
    expect(await store.finalize("a", "done", undefined, lease)).toBe(true);
    await expect(store.append("a", bytesOf("late"), old)).rejects.toMatchObject(refused);
    expect(await store.finalize("a", "error", "late", old)).toBe(false);
    expect(await readStore(store, "a")).toMatchObject({ texts: ["new"], error: null });
  });
}
