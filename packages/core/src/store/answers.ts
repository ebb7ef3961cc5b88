import { isPromise } from "../rules/describe-value.ts";

/** An answer of a database: at once, as from SQLite, or later, as from a server. */
export type Answer<T> = T | Promise<T>;

/** Whether an answer is yet to come. */
export function isLater<T>(answer: Answer<T>): answer is Promise<T> {
  return isPromise(answer);
}

/** Continues with an answer, now or once it has come, so that the same code fits both kinds of database. */
export function after<T, Next>(answer: Answer<T>, next: (value: T) => Answer<Next>): Answer<Next> {
  return isLater(answer) ? answer.then(next) : next(answer);
}
