import type { Route } from "./route.ts";

/** The routes of one path, and the run in it. */
export interface Found {
  /** In the order of the list. */
  readonly methods: ReadonlyMap<string, Route>;
  /** As decoded from the path, not yet checked; `null` where the path has no run. */
  readonly runId: string | null;
}

/**
 * Finds the routes of a raw path.
 * @returns `null` for an unknown path, `"malformed"` if an escape in it is not one
 * @see clause W3 in `WIRE.md`
 */
export type Router = (path: string) => Found | null | "malformed";

/** Makes the router of these routes. */
export function createRouter(routes: readonly Route[]): Router {
  const known = [...Map.groupBy(routes, ({ path }) => path)].map(([path, ofPath]) => ({
    segments: path.split("/"),
    methods: new Map(ofPath.map((route) => [route.method, route])),
  }));
  return (path) => {
    const given = path.split("/");
    const found = known.find(({ segments }) => matches(segments, given));
    if (found === undefined) return null;
    const { segments, methods } = found;
    const id = given[segments.indexOf("{runId}")];
    if (id === undefined) return { methods, runId: null };
    try {
      return { methods, runId: decodeURIComponent(id) };
    } catch (error) {
      if (error instanceof URIError) return "malformed";
      throw error;
    }
  };
}

function matches(segments: readonly string[], given: readonly string[]): boolean {
  return (
    segments.length === given.length &&
    segments.every((segment, at) =>
      segment === "{runId}" ? given[at] !== "" : segment === given[at],
    )
  );
}

/** The route of a method. `HEAD` is answered wherever `GET` is. */
export function routeOf({ methods }: Found, method: string): Route | undefined {
  return methods.get(method === "HEAD" ? "GET" : method);
}
