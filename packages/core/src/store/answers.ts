import { isPromise } from "../rules/describe-value.ts";

/** An answer of a database: at once, as from SQLite, or later, as from a server. */
export type Answer<T> = T | Promise<T>;

/** Whether an answer is yet to come. */
export function isLater<T>(answer: Answer<T>): answer is Promise<T> {
  return isPromise(answer);
}

/** Continues with an answer: now, or once it has come. So the same code fits both kinds of database. */
export function after<T, Next>(answer: Answer<T>, next: (value: T) => Answer<Next>): Answer<Next> {
  return isLater(answer) ? answer.then(next) : next(answer);
}

/** Takes one step after another until one answers `false`. */
export function whileTrue(step: () => Answer<boolean>): Answer<void> {
  for (;;) {
    const hasMore = step();
    if (isLater(hasMore)) return hasMore.then((more) => (more ? whileTrue(step) : undefined));
    if (!hasMore) return;
  }
}

/**
 * Takes a step for each item, one after another.
 * @returns the results of the steps, in this order
 */
export function inTurn<Item, Result>(
  items: Iterable<Item>,
  step: (item: Item) => Answer<Result>,
): Answer<readonly Result[]> {
  const rest = items[Symbol.iterator]();
  const results: Result[] = [];
  const steps = whileTrue(() => {
    const next = rest.next();
    if (next.done === true) return false;
    return after(step(next.value), (result) => results.push(result) > 0);
  });
  return after(steps, () => results);
}
