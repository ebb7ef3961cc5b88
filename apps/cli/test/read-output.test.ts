import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { Clock } from "@tm/run-events-core/wire";
import { describe, expect, it } from "vitest";
import { DRAIN_BYTES, DRAIN_MS, readOutput } from "../src/read-output.ts";

/** A clock that the test moves. */
function createClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0;
  const tasks = new Set<{ readonly atMs: number; readonly task: () => void }>();
  return {
    now: () => nowMs,
    every(periodMs, task) {
      const due = { atMs: nowMs + periodMs, task };
      tasks.add(due);
      return () => tasks.delete(due);
    },
    pass(ms) {
      nowMs += ms;
      for (const { atMs, task } of tasks) if (atMs <= nowMs) task();
    },
  };
}

/** An output that is held open, its reading, and the bytes that have been read. */
function openOutput() {
  const output = new PassThrough();
  const exit = Promise.withResolvers<void>();
  const clock = createClock();
  const reading = readOutput(output, exit.promise, clock);
  const next = async (): Promise<string | null> => {
    const { value, done } = await reading.next();
    return done === true ? null : value.toString();
  };
  return { output, exit: () => exit.resolve(), clock, next };
}

describe("the output of a command", () => {
  it("an output is read to its end, whenever the command ends", async () => {
    for (const isEarly of [true, false]) {
      const { output, exit, next } = openOutput();
      if (isEarly) exit();
      output.write("one");
      expect(await next()).toBe("one");
      exit();
      output.end("two");
      expect(await next()).toBe("two");
      expect(await next()).toBe(null);
    }
  });

  it("the wait for output has no bound while the command runs", async () => {
    const { output, exit, clock, next } = openOutput();
    const first = next();
    clock.pass(1_000 * DRAIN_MS);
    output.write("late");
    expect(await first).toBe("late");
    exit();
  });

  it("an output that is held open is closed after a quiet time following the command's end", async () => {
    const { output, exit, clock, next } = openOutput();
    output.write("one");
    expect(await next()).toBe("one");
    const last = next();
    exit();
    // The reading has to see the exit before the clock moves.
    await new Promise(setImmediate);
    const closed = once(output, "close");
    clock.pass(DRAIN_MS);
    expect(await last).toBe(null);
    await closed;
  });

  it("output that came in time is read, even if this process is late", async () => {
    const { output, exit, clock, next } = openOutput();
    exit();
    const first = next();
    await new Promise(setImmediate);
    clock.pass(1_000 * DRAIN_MS);
    output.write("in time");
    expect(await first).toBe("in time");
  });

  it("a slow reader gets all of the output", async () => {
    const { output, exit, clock, next } = openOutput();
    exit();
    for (const line of ["one", "two", "three"]) {
      output.write(line);
      expect(await next()).toBe(line);
      clock.pass(1_000 * DRAIN_MS);
    }
    output.end();
    expect(await next()).toBe(null);
  });

  it("an output that another process writes for ever is closed after all of the command's own is read", async () => {
    const { output, exit, next } = openOutput();
    exit();
    let length = 0;
    for (;;) {
      output.write("x".repeat(1_024));
      const text = await next();
      if (text === null) break;
      length += text.length;
    }
    expect(length).toBe(DRAIN_BYTES);
    expect(output.destroyed).toBe(true);
  });
});
