import { type ConformanceCase, nameCase, sayFailure } from "../conformance-case.ts";
import { access } from "./cases/access.ts";
import { idempotency } from "./cases/idempotency.ts";
import { lifecycle } from "./cases/lifecycle.ts";
import { limits } from "./cases/limits.ts";
import { lines } from "./cases/lines.ts";
import { pages } from "./cases/pages.ts";
import { waiting } from "./cases/waiting.ts";
import { problems } from "./cases/problems.ts";
import { programs } from "./cases/programs.ts";
import { cursors } from "./cases/cursors.ts";
import { resuming } from "./cases/resuming.ts";
import { cancelling } from "./cases/cancelling.ts";
import { listing } from "./cases/listing.ts";
import { session } from "./cases/session.ts";
import { frames } from "./cases/frames.ts";
import { streamHeads } from "./cases/stream-heads.ts";
import { values } from "./cases/values.ts";
import { creating } from "./cases/creating.ts";
import { appending } from "./cases/appending.ts";
import { expectations } from "./cases/expectations.ts";
import { type HttpDoors, type HttpTrialCase, runHttpTrial } from "./http-trial.ts";

/** Which server to try, and how to get at it. */
export interface HttpConformanceOptions extends HttpDoors {
  /** Stands in the message of every failure. */
  readonly name: string;
}

/** How long a case may take before it counts as hung. */
const CASE_MS = 60_000;

const ALWAYS: readonly HttpTrialCase[] = [
  ...values,
  ...problems,
  ...access,
  ...lifecycle,
  ...creating,
  ...appending,
  ...idempotency,
  ...expectations,
  ...lines,
  ...cancelling,
  ...listing,
  ...pages,
  ...waiting,
  ...streamHeads,
  ...cursors,
  ...frames,
  ...resuming,
  ...programs,
  ...limits,
];

/**
 * The wire as cases for any server that speaks it, in the order of its clauses. They share the server and its two users, so
 * they are to run one after the other. None is ever skipped: with `cookieFor` the cases of `POST /v1/session` are not in the
 * list.
 *
 * @example
 * const cases = runHttpConformance({ name: "ours", baseUrl: "http://127.0.0.1:8080", tokens: ["ada's", "bob's"] });
 * for (const { name, run } of cases) it(name, run);
 */
export function runHttpConformance(options: HttpConformanceOptions): readonly ConformanceCase[] {
  const cases = options.cookieFor === undefined ? [...ALWAYS, ...session] : ALWAYS;
  return cases.map(({ name, run }) => caseOf(options.name, name, () => runHttpTrial(options, run)));
}

/** A case as test runners take it. A failure says whose it is. */
export function caseOf(who: string, name: string, run: () => Promise<void>): ConformanceCase {
  return nameCase({ name, timeoutMs: CASE_MS }, run, (cause) => sayFailure(who, name, cause));
}
