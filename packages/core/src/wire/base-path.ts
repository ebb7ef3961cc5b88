import { describeValue } from "../rules/describe-value.ts";

/** The path of all runs, unless a host chooses another `basePath`. @see clause W50 in `WIRE.md` of `@tm/run-events-http` */
export const RUNS_PATH = "/v1/agent-runs";

/** Segments that no client, proxy or framework rewrites. `.` and `..` would lead to another path. */
const SEGMENTS = /^(?:\/(?!\.\.?(?:\/|$))[\w.~-]+)+$/;

/**
 * The path of all runs that a host or a client has chosen, without a slash at its end.
 * @param basePath `undefined` for {@link RUNS_PATH}
 * @throws TypeError unless it begins with a slash, and each segment is of letters, digits, `-`, `_`, `.` and `~`
 * @see clause W50 in `WIRE.md` of `@tm/run-events-http`
 */
export function parseBasePath(basePath: unknown): string {
  const path = typeof basePath === "string" ? basePath.replace(/\/$/, "") : (basePath ?? RUNS_PATH);
  if (typeof path === "string" && SEGMENTS.test(path)) return path;
  throw new TypeError(`Expected basePath to be like /api/my-runs, got ${describeValue(basePath)}.`);
}

/**
 * Moves a path of runs to another base path. All lists of paths use {@link RUNS_PATH}, and this function moves them.
 * @param path of all runs or below; any other path stays as it is
 * @param basePath from {@link parseBasePath}
 */
export function movePath(path: string, basePath: string): string {
  return path.replace(/^\/v1\/agent-runs(?=[/?]|$)/, basePath);
}
