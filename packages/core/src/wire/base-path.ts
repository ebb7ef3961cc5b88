import { describeValue } from "../rules/describe-value.ts";

/** The path of all runs, unless a host chooses another `basePath`. @see clause W50 in `WIRE.md` of `@tm/run-events-http` */
export const RUNS_PATH = "/v1/agent-runs";

/** A segment of a path that no client, proxy or framework writes in another form. */
const SEGMENT = /^[\w.~-]+$/;

/**
 * The path of all runs that a host or a client has chosen, without a slash at its end.
 * @param basePath `undefined` for {@link RUNS_PATH}
 * @throws TypeError unless it begins with a slash, and each segment is of letters, digits, `-`, `_`, `.` and `~`
 * @see clause W50 in `WIRE.md` of `@tm/run-events-http`
 */
export function parseBasePath(basePath: unknown): string {
  if (basePath === undefined) return RUNS_PATH;
  if (typeof basePath === "string") {
    const path = basePath.endsWith("/") ? basePath.slice(0, -1) : basePath;
    const [before, ...segments] = path.split("/");
    if (before === "" && segments.length > 0 && segments.every(isSegment)) return path;
  }
  throw new TypeError(
    `Expected \`basePath\` to be a path such as /api/runs, of letters, digits, "-", "_", "." and "~" between slashes, got ${describeValue(basePath)}.`,
  );
}

/** Segments of dots alone are steps to another path. */
function isSegment(segment: string): boolean {
  return SEGMENT.test(segment) && segment !== "." && segment !== "..";
}

/**
 * Moves a path of runs to another base path. Every list of paths is written with {@link RUNS_PATH}, and moved by this.
 * @param path of all runs or below; any other path stays as it is
 * @param basePath from {@link parseBasePath}
 */
export function movePath(path: string, basePath: string): string {
  return /^\/v1\/agent-runs(?![^/?])/.test(path)
    ? `${basePath}${path.slice(RUNS_PATH.length)}`
    : path;
}
