/** The way in which runs are read: over a live stream, or by polls. */
export type Transport = "stream" | "poll";

/**
 * The way in which an attempt was lost.
 *
 * - `away`: the server did not answer, or refused for now.
 * - `held_back`: no frame came after the answer, or something on the way changed the stream, or left an event out.
 * - `cut`: it broke off after something had come.
 * - `full`: the server has no room for another stream.
 */
export type Loss = "away" | "held_back" | "cut" | "full";

/** How long polls are kept in place of the best transport before that is tried again, in milliseconds. */
export const PROBE_MS = 300_000;
/** An attempt that still receives something at this age, in milliseconds, does not count as a failure. */
const LONG_LIFE_MS = 30_000;

/**
 * The memory of a reader between two attempts. It is a value: each step returns a new one.
 *
 * | after                                        | `failures`                   | `transport`                              |
 * | -------------------------------------------- | ---------------------------- | ---------------------------------------- |
 * | an event                                     | 0                            | stays                                    |
 * | anything else that the server sent           | 0 if the attempt is 30 s old | stays                                    |
 * | a stream that was lost                       | one more                     | polls, if it was `held_back` or `full`   |
 * | polls that brought nothing, or five minutes of polls | stay                 | the best                                 |
 */
export interface Course {
  /** The best transport that the credential allows. @see clause W19 in `WIRE.md` of `@tm/run-events-http` */
  readonly best: Transport;
  readonly transport: Transport;
  /** When to try the best again, on `performance.now()`; `Infinity` while it is in use. */
  readonly probeAt: number;
  /** The number of attempts in a row that brought no event. */
  readonly failures: number;
  /** The kind of loss if the attempt is lost now. */
  readonly loss: Loss;
}

/** The course at the beginning. */
export function startCourse(best: Transport): Course {
  return { best, transport: best, probeAt: Infinity, failures: 0, loss: "away" };
}

/**
 * The course of an attempt whose loss would be of this kind from now on.
 * @param livedMs the attempt's age
 */
export function expectLoss(course: Course, loss: Loss, livedMs: number): Course {
  if (loss !== "cut") return { ...course, loss };
  return { ...course, loss, failures: livedMs > LONG_LIFE_MS ? 0 : course.failures };
}

/** The course after an attempt that was lost. A loss because the server is away proves nothing about the transport. */
export function afterFailure(course: Course, now: number): Course {
  const { transport, loss } = course;
  const failed = { ...course, failures: course.failures + 1 };
  if (transport === "poll" || loss === "away" || loss === "cut") return failed;
  return { ...failed, transport: "poll", probeAt: now + PROBE_MS };
}

/** The course that tries the best transport again. */
export function backToBest(course: Course): Course {
  return { ...course, transport: course.best, probeAt: Infinity };
}
