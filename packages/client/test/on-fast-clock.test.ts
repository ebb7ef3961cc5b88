import { expect, it, onTestFinished } from "vitest";
import { onFastClock } from "./on-fast-clock.ts";

it("a timer that was set before the fast clock can be cleared on it", async () => {
  const late: string[] = [];
  const once = setTimeout(() => late.push("timeout"), 1);
  const often = setInterval(() => late.push("interval"), 1);
  onTestFinished(() => clearInterval(often));
  // Of timers with the same delay, the last one that was set fires last.
  const { promise: passed, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 1);
  await onFastClock(async () => {
    clearTimeout(once);
    clearInterval(often);
  });
  await passed;
  expect(late).toEqual([]);
});
