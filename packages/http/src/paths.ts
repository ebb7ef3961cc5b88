/** What a path leads to. */
export type RouteName = "runs" | "run" | "events" | "stream" | "cancel" | "claim" | "openapi";

/** A path that is known, and the run in it. */
export interface RoutePath {
  readonly name: RouteName;
  /** As decoded from the path, not yet checked; empty where the path has none. */
  readonly runId: string;
}

/** Where the paths of runs start. */
export const ROOT_PATH = "/v1/agent-runs";

const BEHIND_RUN: Readonly<Record<string, RouteName>> = {
  events: "events",
  stream: "stream",
  cancel: "cancel",
  claim: "claim",
};

/**
 * Finds the route of a raw path.
 * @returns `null` for an unknown path, `"malformed"` if an escape in it is none
 * @see W3
 */
export function parsePath(path: string): RoutePath | null | "malformed" {
  if (path === "/openapi.json") return { name: "openapi", runId: "" };
  const [root, version, collection, id, leaf, ...more] = path.split("/");
  if (root !== "" || version !== "v1" || collection !== "agent-runs" || more.length > 0)
    return null;
  if (id === undefined) return { name: "runs", runId: "" };
  const name =
    leaf === undefined ? "run" : Object.hasOwn(BEHIND_RUN, leaf) ? BEHIND_RUN[leaf] : undefined;
  if (name === undefined || id === "") return null;
  try {
    return { name, runId: decodeURIComponent(id) };
  } catch (error) {
    if (error instanceof URIError) return "malformed";
    throw error;
  }
}
