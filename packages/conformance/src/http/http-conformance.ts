import { buildCases, type CaseOptions } from "../build-cases.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { access } from "./cases/access.ts";
import { cursors } from "./cases/cursors.ts";
import { deadlines, type EndSession } from "./cases/deadlines.ts";
import { type Drain, draining } from "./cases/draining.ts";
import { feeds } from "./cases/feeds.ts";
import { description, health } from "./cases/health.ts";
import { idling } from "./cases/idling.ts";
import { leases } from "./cases/leases.ts";
import { lifecycle } from "./cases/lifecycle.ts";
import { limits } from "./cases/limits.ts";
import { lines } from "./cases/lines.ts";
import { listing } from "./cases/listing.ts";
import { manyRuns } from "./cases/many-runs.ts";
import { allowedOrigins } from "./cases/origins.ts";
import { pages } from "./cases/pages.ts";
import { problems } from "./cases/problems.ts";
import { programs } from "./cases/programs.ts";
import { refusals } from "./cases/refusals.ts";
import { session } from "./cases/session.ts";
import { streams } from "./cases/streams.ts";
import { values } from "./cases/values.ts";
import { writing } from "./cases/writing.ts";
import type { HastyServer } from "./hasty-server.ts";
import { type HttpDoors, type HttpCases, runHttpTrial } from "./http-trial.ts";
import type { IdleServer } from "./idle-server.ts";

/** The options of {@link runHttpConformance}: the server, what it offers, and how hard to look. */
export interface HttpConformanceOptions extends HttpDoors, CaseOptions {
  /**
   * Whether the server has the paths of a host: `/healthz`, `/readyz`, `/metrics` and a page at `/`.
   * @defaultValue `true` if and only if `cookieFor` is not given, as a handler within another host needs it
   * @see clause W30 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly hostPaths?: boolean;
  /**
   * An origin on the server's list, such as `https://app.example`; not the server's own.
   * @see clauses W5 and W19 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly allowedOrigin?: string;
  /**
   * A second server with short deadlines, for the same two users.
   * @see clauses W22, W25, W26, W33 and W49 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly hasty?: HastyServer;
  /**
   * A third server, which soon ends runs that no worker works on, for the same two users.
   * @see clauses W37 and W43 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly idle?: IdleServer;
  /**
   * Ends a session that `cookieFor` gave. The kit calls `cookieFor` for another one later. Used only if `hasty.heartbeatMs` is given.
   * @defaultValue `DELETE /v1/session`, if `cookieFor` is not given
   * @see clause W26 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly endSession?: EndSession;
  /**
   * Shuts the server down and starts it again.
   * @see clause W27 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly drain?: Drain;
}

const ALWAYS: HttpCases = {
  ...values,
  ...problems,
  ...refusals,
  ...access,
  ...lifecycle,
  ...writing,
  ...lines,
  ...listing,
  ...leases,
  ...pages,
  ...cursors,
  ...streams,
  ...manyRuns,
  ...feeds,
  ...programs,
  ...limits,
  ...description,
};

/**
 * Returns the cases that test a server against the wire, by what they are about. They share the server and its two users: run
 * them one after the other. No case is skipped: a case that needs an option is in the list only if the option is given.
 *
 * @throws TypeError for an unknown `profile`, a `soakMs` that is not above 0, or a `replay` of an unknown case
 * @example
 * const cases = runHttpConformance({ name: "ours", baseUrl: "http://127.0.0.1:8080", tokens: ["ada's", "bob's"] });
 * for (const { name, run } of cases) it(name, run);
 */
export function runHttpConformance(options: HttpConformanceOptions): readonly ConformanceCase[] {
  const {
    cookieFor,
    hostPaths = cookieFor === undefined,
    allowedOrigin,
    hasty,
    idle,
    drain,
  } = options;
  const own: HttpCases = {
    ...ALWAYS,
    ...(allowedOrigin === undefined ? {} : allowedOrigins(allowedOrigin)),
    ...(cookieFor === undefined ? session : {}),
    ...(hostPaths ? health : {}),
    ...(drain === undefined ? {} : draining(drain)),
  };
  const endSession = options.endSession ?? (cookieFor === undefined ? "delete" : null);
  const on = (doors: Partial<HttpDoors>, cases: HttpCases) =>
    Object.entries(cases).map(([name, run]) => ({ name, run, doors: { ...options, ...doors } }));
  const cases = [
    ...on({}, own),
    ...on(hasty ?? {}, deadlines(hasty ?? {}, endSession)),
    ...on(idle ?? {}, idling(idle ?? {})),
  ];
  return buildCases(options, cases, ({ doors, run }, round) => runHttpTrial(doors, run, round));
}
