import { jsonReply } from "../exchange/exchange.ts";
import { describeRoutes } from "../openapi/document.ts";
import { ERROR_ROUTES } from "./errors.ts";
import { APPEND_EVENTS } from "./append-events.ts";
import { INPUT_ROUTE } from "./input.ts";
import { LEASE_ROUTES } from "./lease.ts";
import { READ_EVENTS } from "./read-events.ts";
import type { Route } from "./route.ts";
import { CANCEL_ROUTE, RUN_ROUTES } from "./runs.ts";
import { RUNS_STREAM_ROUTE } from "./runs-stream.ts";
import { sharedText } from "./shared-text.ts";
import { STREAM_ROUTE } from "./stream.ts";

const DESCRIPTION_ROUTE: Route = {
  method: "GET",
  path: "/openapi.json",
  access: "open",
  changes: false,
  answer: async () => jsonReply(200, encodedDocument()),
  operation: {
    tag: "description",
    id: "describe",
    summary: "This document (W30)",
    answers: {
      200: {
        description: "OpenAPI 3.1.",
        content: { "application/json": { schema: { type: "object" } } },
      },
    },
  },
};

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
  ...ERROR_ROUTES,
];

const encodedDocument = sharedText(() => JSON.stringify(openApiDocument()));

/**
 * Describes the HTTP API as an OpenAPI 3.1 document. The paths of the reference server are in it, under a separate tag.
 * @returns a new object each time, which the caller may change
 * @see clause W30 in `WIRE.md`
 */
export function openApiDocument(): Readonly<Record<string, unknown>> {
  return describeRoutes(ROUTES);
}
