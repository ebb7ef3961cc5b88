import { RunEventsError } from "@tm/run-events-core";
import type { Route } from "./route.ts";

/** The routes of one path, and what is in it. */
export interface Found {
  /** In the order of the list. */
  readonly methods: ReadonlyMap<string, Route>;
  /** As decoded from the path, not yet checked; `null` where the path has no run. */
  readonly runId: string | null;
  /** The same of an error's code. */
  readonly code: string | null;
}

/**
 * Finds the routes of a raw path.
 * @returns `null` for an unknown path
 * @throws RunEventsError `invalid_request` if an escape in it is not one
 * @see clause W3 in `WIRE.md`
 */
export type Router = (path: string) => Found | null;

/** Makes the router of these routes. */
export function createRouter(routes: readonly Route[]): Router {
  const known = [...Map.groupBy(routes, ({ path }) => path)].map(([path, ofPath]) => {
    const segments = path.split("/");
    const [runAt, codeAt] = [segments.indexOf("{runId}"), segments.indexOf("{code}")];
    return { segments, runAt, codeAt, methods: new Map(ofPath.map((one) => [one.method, one])) };
  });
  return (path) => {
    const given = path.split("/");
    const found = known.find(({ segments }) => matches(segments, given));
    if (found === undefined) return null;
    const { methods, runAt, codeAt } = found;
    return { methods, runId: decode(given[runAt]), code: decode(given[codeAt]) };
  };
}

function matches(segments: readonly string[], given: readonly string[]): boolean {
  if (segments.length !== given.length) return false;
  // A name in braces stands for any text.
  return segments.every((segment, at) =>
    segment.startsWith("{") ? given[at] !== "" : segment === given[at],
  );
}

function decode(part: string | undefined): string | null {
  if (part === undefined) return null;
  try {
    return part.includes("%") ? decodeURIComponent(part) : part;
  } catch (cause) {
    throw new RunEventsError(
      "invalid_request",
      "Expected each % in the path to begin a valid escape, such as %20, got another one.",
      { cause },
    );
  }
}

/** The route of a method. `HEAD` is answered wherever `GET` is. */
export function routeOf({ methods }: Found, method: string): Route | undefined {
  return methods.get(method === "HEAD" ? "GET" : method);
}
