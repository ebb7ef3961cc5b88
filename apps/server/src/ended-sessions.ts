import type { Session } from "./session.ts";

/** The most ended sessions of one user that are kept one by one, and the number that stay when there is one more. */
const MOST_OF_USER = 1_000;
const LEFT_OF_USER = 500;

/** The ended sessions of one user. */
interface OfUser {
  /** The ids of ended sessions, each with the time at which it would have expired. */
  readonly expiries: Map<string, number>;
  /** All of the user's sessions that expire by then count as ended. */
  untilMs: number;
}

/**
 * Sessions that were ended before their time. None of them works again. If a user ends more than 1,000, only the 500 that expire last are
 * kept one by one. Of the others only the latest expiry is kept, and all of the user's sessions that expire by then count as ended, even
 * those that the user did not end. This bounds what is held and what ending a session costs. No clock is needed, since sessions that have
 * expired are the first to go.
 */
export class EndedSessions {
  readonly #byUser = new Map<string, OfUser>();

  add({ userId, sessionId, expiresAtMs }: Session): void {
    const ofUser = this.#byUser.get(userId) ?? { expiries: new Map(), untilMs: 0 };
    this.#byUser.set(userId, ofUser);
    const { expiries } = ofUser;
    expiries.set(sessionId, expiresAtMs);
    if (expiries.size <= MOST_OF_USER) return;
    const untilMs = [...expiries.values()].toSorted((a, b) => b - a)[LEFT_OF_USER] ?? 0;
    ofUser.untilMs = Math.max(ofUser.untilMs, untilMs);
    for (const [id, expiry] of expiries) if (expiry <= untilMs) expiries.delete(id);
  }

  has({ userId, sessionId, expiresAtMs }: Session): boolean {
    const ofUser = this.#byUser.get(userId);
    if (ofUser === undefined) return false;
    return expiresAtMs <= ofUser.untilMs || ofUser.expiries.has(sessionId);
  }
}
