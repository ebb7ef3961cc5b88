import type { Diagnostic } from "../rules/diagnostic.ts";
import { isStoreClosed, type RunEventsError } from "../rules/errors.ts";
import type { Report } from "../rules/telemetry.ts";
import type { Clock } from "../time/clock.ts";
import { persist } from "../time/persist.ts";

/** The time that a call in doubt is sent again, in milliseconds: as long as a database takes to come back. */
const PATIENCE_MS = 10_000;

/** The time for which calls are sent again. */
export interface SendTimes {
  readonly clock: Clock;
  /** Whether this process is closing: then a call does not wait for a store that is away. */
  readonly isClosing: () => boolean;
  /** `null` if nothing listens. */
  readonly report: Report | null;
}

/** The kind of a call that is sent again. */
export type SentCall = Extract<Diagnostic, { readonly type: "resend" }>["call"];

/**
 * Sends a call in doubt again for up to 10 s, through all failures: a failover causes many, even ones that seem permanent. It ends
 * early only if the store is closed, or this process closes.
 * @param send sends the same call as the first time
 * @param first why the call is in doubt. It is thrown in the end, since the first attempt may have landed
 * @param fromMs since when it is in doubt, by the clock: calls that failed together may have to wait for each other
 * @see clause S7 in `STORE.md`
 */
export async function sendAgain<Answer>(
  call: SentCall,
  send: () => Promise<Answer>,
  first: RunEventsError,
  { clock, isClosing, report }: SendTimes,
  fromMs: number,
): Promise<Answer> {
  const deadlineMs = fromMs + PATIENCE_MS;
  const isEnough = (error: unknown, pauseMs: number): boolean =>
    isStoreClosed(error) || isClosing() || clock.now() + pauseMs > deadlineMs;
  let sends = 0;
  const count = async (): Promise<Answer> => {
    if (clock.now() > deadlineMs) throw first;
    sends += 1;
    return send();
  };
  try {
    const answer = await persist(count, clock, isEnough);
    report?.({ type: "resend", call, sends, ms: clock.now() - fromMs, outcome: "answered" });
    return answer;
  } catch {
    report?.({ type: "resend", call, sends, ms: clock.now() - fromMs, outcome: "unknown" });
    throw first;
  }
}
