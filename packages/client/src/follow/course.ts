import {
  afterArrival,
  afterLoss,
  bestRoute,
  type Loss,
  type Route,
  type Transport,
} from "./route.ts";

/** An attempt that still receives something at this age, in milliseconds, does not count as a failure. */
const LONG_LIFE_MS = 30_000;

/**
 * What a reader keeps between two attempts. It is a value: each step returns a new one.
 *
 * | after                                            | `failures`                   | `route`                 |
 * | ------------------------------------------------ | ---------------------------- | ----------------------- |
 * | an event                                         | 0                            | stays                   |
 * | anything else that the server sent               | 0 if the attempt is 30 s old | is proven               |
 * | an attempt that was lost                         | one more                     | the one of `afterLoss`  |
 * | an attempt that makes way for the best transport | stay                         | the best                |
 */
export interface Course {
  readonly route: Route;
  /** How many attempts in a row brought no event. */
  readonly failures: number;
  /** Which kind of loss it is if the attempt is lost now. */
  readonly loss: Loss;
}

/** The course at the beginning. */
export function startCourse(best: Transport): Course {
  return { route: bestRoute(best), failures: 0, loss: "away" };
}

/**
 * The course of an attempt whose loss would be of this kind from now on.
 * @param livedMs the attempt's age
 */
export function expectLoss(course: Course, loss: Loss, livedMs: number): Course {
  if (loss !== "cut") return { ...course, loss };
  const failures = livedMs > LONG_LIFE_MS ? 0 : course.failures;
  return { route: afterArrival(course.route), failures, loss };
}

/** The course after an attempt that was lost. */
export function afterFailure({ route, failures, loss }: Course, now: number): Course {
  return { route: afterLoss(route, loss, now), failures: failures + 1, loss };
}
