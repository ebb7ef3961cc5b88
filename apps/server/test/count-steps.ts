import { onTestFinished } from "vitest";

/** Counts how many entries of maps and sets are iterated over, from now until the test has finished. */
export function countSteps(): () => number {
  let steps = 0;
  for (const collection of [new Map().entries(), new Set().values()]) {
    const iterator = Object.getPrototypeOf(collection) as {
      next(this: unknown): IteratorResult<unknown>;
    };
    const { next } = iterator;
    iterator.next = function (this: unknown) {
      steps += 1;
      return next.call(this);
    };
    onTestFinished(() => void (iterator.next = next));
  }
  return () => steps;
}
