import type { RunEventsErrorCode } from "@tm/run-events-core";
import { schemaRef } from "./openapi-schemas.ts";
import { STATUS } from "./problem.ts";

type Json = Readonly<Record<string, unknown>>;

const text: Json = { schema: { type: "string" } };

const HEADERS: Readonly<Record<number, Json>> = {
  401: { "WWW-Authenticate": text },
  429: { "Retry-After": text },
  503: { "Retry-After": text },
};

/** An answer with a JSON body. */
export function json(description: string, schema: string, headers: Json = {}): Json {
  return {
    description,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: { "application/json": { schema: schemaRef(schema) } },
  };
}

/** An answer without a body. */
export function empty(description: string, headers: Json = {}): Json {
  return Object.keys(headers).length === 0 ? { description } : { description, headers };
}

/** The answers of these codes, by status. @see W3 */
export function problems(...codes: readonly RunEventsErrorCode[]): Json {
  const byStatus = Object.groupBy(codes, (code) => STATUS[code]);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, of = []]) => [
      status,
      {
        description: of.map((code) => `\`${code}\``).join(", "),
        ...(HEADERS[Number(status)] === undefined ? {} : { headers: HEADERS[Number(status)] }),
        content: {
          "application/problem+json": {
            schema: { ...schemaRef("Problem"), type: "object", properties: { code: { enum: of } } },
          },
        },
      },
    ]),
  );
}

/** A session, by its cookie over http or over https: either is enough. @see W29 */
export const BY_SESSION: readonly Json[] = [{ session: [] }, { secureSession: [] }];

/** Problems of every request that needs a credential and the store. */
export const COMMON: readonly RunEventsErrorCode[] = [
  "unauthenticated",
  "too_many_requests",
  "internal",
  "store_unavailable",
];

/** Problems of every request on one run. */
export const OF_RUN: readonly RunEventsErrorCode[] = [...COMMON, "not_found", "invalid_request"];

/** A text header or query parameter. */
export function parameter(
  where: "query" | "header",
  name: string,
  description: string,
  schema: Json,
): Json {
  return { name, in: where, description, schema };
}
