import { type Backoff, planBackoff } from "./backoff.ts";
import { type Clock, pause } from "./clock.ts";

/** Without jitter: calls of one process share a queue or a run, so they do not meet. */
const PAUSES: Backoff = { firstMs: 25, mostMs: 1_000, jitter: 0 };

/**
 * Makes a call again and again until it answers. The first pause is 25 ms, each next one twice as long, up to 1 s.
 * @param isEnough called after each failure with the next pause: whether to throw that failure
 */
export async function persist<Answer>(
  call: () => Promise<Answer>,
  clock: Clock,
  isEnough: (error: unknown, pauseMs: number) => boolean,
): Promise<Answer> {
  for (let failures = 1; ; failures += 1) {
    const pauseMs = planBackoff(PAUSES, failures, 0);
    try {
      return await call();
    } catch (error) {
      if (isEnough(error, pauseMs)) throw error;
    }
    await pause(clock, pauseMs);
  }
}
