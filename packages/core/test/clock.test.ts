import { execFile } from "node:child_process";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { afterTurn, pause, systemClock } from "../src/time/clock.ts";
import { createFakeClock } from "./fake-clock.ts";

const clockUrl = new URL("../src/time/clock.ts", import.meta.url).href;

describe("systemClock", () => {
  it("systemClock never runs backwards, and repeats a task until it is stopped", async () => {
    const before = systemClock.now();
    let count = 0;
    await new Promise<void>((resolve) => {
      const stop = systemClock.every(1, () => {
        count += 1;
        if (count < 3) return;
        stop();
        resolve();
      });
    });
    expect(count).toBe(3);
    expect(systemClock.now()).toBeGreaterThan(before);
  });

  it("S13: systemClock does not keep a process alive", async () => {
    const script = `import { systemClock } from ${JSON.stringify(clockUrl)}; systemClock.every(2 ** 30, () => {});`;
    const { stderr } = await promisify(execFile)(process.execPath, [
      "--input-type=module",
      "-e",
      script,
    ]);
    expect(stderr).toBe("");
  });
});

describe("holdProcess", () => {
  it("S13: holdProcess keeps a process alive until it is released", async () => {
    // A timer that does not keep the process alive runs only while something else does.
    const script = `import { holdProcess } from ${JSON.stringify(clockUrl)};
      const release = holdProcess();
      setTimeout(() => { console.log("held"); release(); }, 1).unref();`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--input-type=module",
      "-e",
      script,
    ]);
    expect(stdout).toBe("held\n");
  });
});

describe("pause", () => {
  it("pause waits for its time, and leaves no timer", async () => {
    const clock = createFakeClock();
    let isOver = false;
    const paused = pause(clock, 100).then(() => (isOver = true));
    clock.advance(99);
    await turn();
    expect([isOver, clock.timers()]).toStrictEqual([false, 1]);
    clock.advance(1);
    await paused;
    expect(clock.timers()).toBe(0);
  });
});

describe("afterTurn", () => {
  it("afterTurn runs after everything that the host has ready", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      setImmediate(() => order.push("ready"));
      afterTurn(() => {
        order.push("after");
        resolve();
      });
      queueMicrotask(() => order.push("microtask"));
    });
    expect(order).toStrictEqual(["microtask", "ready", "after"]);
  });
});
