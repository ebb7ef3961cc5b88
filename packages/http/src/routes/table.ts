import { describeValue, movePath, parseBasePath } from "@tm/run-events-core/wire";
import { jsonReply } from "../exchange/exchange.ts";
import { ERRORS_PATH } from "../exchange/problem.ts";
import { describeOperations } from "../contract/document.ts";
import { ERROR_ROUTE } from "./errors.ts";
import { APPEND_EVENTS } from "./append-events.ts";
import { INPUT_ROUTE } from "./input.ts";
import { LEASE_ROUTES } from "./lease.ts";
import { READ_EVENTS } from "./read-events.ts";
import type { Route } from "./route.ts";
import { CANCEL_ROUTE, RUN_ROUTES } from "./runs.ts";
import { RUNS_STREAM_ROUTE } from "./runs-stream.ts";
import { STREAM_ROUTE } from "./stream.ts";

const DESCRIPTION_ROUTE: Route = {
  method: "GET",
  path: "/openapi.json",
  access: "open",
  tag: "description",
  id: "describe",
  summary: "This document (W30)",
  answers: {
    200: {
      description: "OpenAPI 3.1.",
      content: { "application/json": { schema: { type: "object" } } },
    },
  },
  answer: async ({ context }) => jsonReply(200, context.document()),
};

/** The paths that are not of runs, with those below them. They stay where they are, since the `type` of each problem is one of them. */
const OTHER_PATHS = [DESCRIPTION_ROUTE.path, ERRORS_PATH] as const;

/**
 * All routes. The router, the methods that a 405 allows, the access checks and the document are derived from this list, in its order.
 * The path of the stream of many runs is also one that a run `stream` would have, so it comes before.
 */
export const ROUTES: readonly Route[] = [
  RUNS_STREAM_ROUTE,
  ...RUN_ROUTES,
  READ_EVENTS,
  APPEND_EVENTS,
  STREAM_ROUTE,
  ...LEASE_ROUTES,
  INPUT_ROUTE,
  CANCEL_ROUTE,
  DESCRIPTION_ROUTE,
  ERROR_ROUTE,
];

/**
 * The same routes, with those of runs at a host's base path.
 * @param basePath from `parseBasePath`
 * @throws TypeError if a path of runs would be one that every handler has
 * @see clause W50 in `WIRE.md`
 */
export function routesAt(basePath: string): readonly Route[] {
  const taken = OTHER_PATHS.find((path) => covers(basePath, path) || covers(path, basePath));
  if (taken !== undefined) {
    throw new TypeError(
      `Expected basePath to leave ${taken} free, which every handler answers, got ${describeValue(basePath)}.`,
    );
  }
  return ROUTES.map((route) => ({ ...route, path: movePath(route.path, basePath) }));
}

/** Whether the other path is this one or below it. */
export function covers(path: string, other: string): boolean {
  return `${other}/`.startsWith(`${path}/`);
}

/**
 * Describes the HTTP API as an OpenAPI 3.1 document.
 * @param options the `basePath` of the handler
 * @returns a new object each time, which the caller may change
 * @throws TypeError for a `basePath` that `createHandler` refuses
 * @see clauses W30 and W50 in `WIRE.md`
 */
export function openApiDocument(
  options: { readonly basePath?: string | undefined } = {},
): Readonly<Record<string, unknown>> {
  return describeOperations(routesAt(parseBasePath(options.basePath)));
}
