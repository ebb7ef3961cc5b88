import type { Identity } from "@tm/run-events-http";

/** The bearer tokens of the users that every server here knows; each is its user's name. */
export const TOKENS = ["ada", "bob"] as const;

/** Identifies the user: `Bearer ada` and `session=ada` are both ada's. */
export function identify(
  authorization: string | null,
  cookie: string | null,
  wanted: "any" | "session",
): Identity | null {
  const bearer = userIn(/^Bearer (\w+)$/, authorization);
  const session = userIn(/\bsession=(\w+)/, cookie);
  if (session !== null && (wanted === "session" || authorization === null)) {
    return { userId: session, credential: "session" };
  }
  return bearer === null ? null : { userId: bearer, credential: "bearer" };
}

function userIn(pattern: RegExp, header: string | null): string | null {
  const user = pattern.exec(header ?? "")?.[1];
  return TOKENS.find((known) => known === user) ?? null;
}
