import { runReaderConformance } from "@tm/run-events-conformance/http";
import { followRun } from "@tm/run-events-client";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { describe, it } from "vitest";
import { onFastClock } from "./on-fast-clock.ts";

const USERS: Readonly<Record<string, string>> = { "ada-token": "ada", "bob-token": "bob" };
const handler = createHandler({
  runs: createRunEvents({ store: createMemoryStore() }),
  authenticate({ headers }) {
    const bearer = headers.get("authorization")?.slice("Bearer ".length);
    const session = headers.get("cookie")?.slice("session=".length);
    const userId = USERS[bearer ?? session ?? ""];
    if (userId === undefined) return null;
    return { userId, credential: bearer === undefined ? "session" : "bearer" };
  },
});
const doors = {
  baseUrl: "http://memory.example",
  tokens: ["ada-token", "bob-token"],
  cookieFor: (token: string) => `session=${token}`,
  fetch: (request: Request) => handler.fetch(request),
} as const;

describe.each(["cookie", "bearer"] as const)("a follower with a %s", (kind) => {
  const cases = runReaderConformance({
    ...doors,
    name: kind,
    patienceMs: 300_000,
    follow: ({ token, cookie, ...target }) =>
      followRun({ ...target, credential: kind === "cookie" ? { cookie } : { bearer: token } }),
  });
  // Measured on the same clock as the pauses.
  for (const { name, run } of cases) it(name, () => onFastClock(run), 120_000);
});
