import type { Identity } from "../../src/index.ts";

/** The sign-ins that a test's host knows: `Bearer ada` and the cookie `session=ada` are both ada's. */
export interface Accounts {
  /** Ends a user's session; the bearer token stays. */
  signOut(userId: string): void;
  /** Makes every sign-in from now on fail with this, `null` for none. */
  breakDown(error: Error | null): void;
  /** The number of times that a user was identified. */
  asked(): number;
  identify(header: (name: string) => string | null, wanted: "any" | "session"): Identity | null;
}

/** Accounts without a list: a request is of the user that it names. */
export function createAccounts(): Accounts {
  const signedOut = new Set<string>();
  let broken: Error | null = null;
  let asked = 0;
  return {
    signOut: (userId) => void signedOut.add(userId),
    breakDown: (error) => void (broken = error),
    asked: () => asked,
    identify(header, wanted) {
      asked += 1;
      if (broken !== null) throw broken;
      const bearer = /^Bearer (\w+)$/.exec(header("authorization") ?? "")?.[1];
      const session = /\bsession=(\w+)/.exec(header("cookie") ?? "")?.[1];
      const valid = session !== undefined && !signedOut.has(session) ? session : undefined;
      if (valid !== undefined && (wanted === "session" || bearer === undefined)) {
        return { userId: valid, credential: "session" };
      }
      return bearer === undefined ? null : { userId: bearer, credential: "bearer" };
    },
  };
}

/** Headers of ada's bearer token. */
export const ADA = { authorization: "Bearer ada" } as const;

/** Headers of ada's session. */
export const ADA_SESSION = { cookie: "session=ada" } as const;
