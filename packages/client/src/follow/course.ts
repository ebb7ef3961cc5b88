import {
  afterArrival,
  afterLoss,
  bestRoute,
  type Loss,
  type Route,
  type Transport,
} from "./route.ts";

/** An attempt that still brings something at this age, in milliseconds, was no failure, whatever it brings. */
const LONG_LIFE_MS = 30_000;

/**
 * Where a reader is between two attempts. It is a value: each step returns a new one.
 *
 * | after                          | `failures`                        | `route`                             |
 * | ------------------------------ | --------------------------------- | ----------------------------------- |
 * | an event                       | 0                                 | stays                               |
 * | something that is no event     | 0 if the attempt is 30 s old      | is proven                           |
 * | an attempt that was lost       | one more                          | the next one, as `afterLoss` says   |
 * | an attempt that makes way for the best transport | stay            | the best                            |
 */
export interface Course {
  readonly route: Route;
  /** Attempts in a row that brought no event. */
  readonly failures: number;
  /** How the attempt is lost if it is lost now. */
  readonly loss: Loss;
}

/** The course at the beginning. */
export function startCourse(best: Transport): Course {
  return { route: bestRoute(best), failures: 0, loss: "away" };
}

/** The course of an attempt whose loss would be of this kind from now on. @param livedMs the attempt's age */
export function expectLoss(course: Course, loss: Loss, livedMs: number): Course {
  if (loss !== "cut") return { ...course, loss };
  const failures = livedMs > LONG_LIFE_MS ? 0 : course.failures;
  return { route: afterArrival(course.route), failures, loss };
}

/** The course after an attempt that was lost. */
export function afterFailure({ route, failures, loss }: Course, now: number): Course {
  return { route: afterLoss(route, loss, now), failures: failures + 1, loss };
}
