import type { RunEventsErrorCode } from "@tm/run-events-core";
import { schemaRef } from "./schema.ts";
import { statusOf } from "../exchange/error-codes.ts";

export type Json = Readonly<Record<string, unknown>>;

/** The description of one method of one path. The rest is derived from the route. */
export interface Operation {
  readonly tag: "writing" | "leases" | "polling" | "live stream" | "description";
  readonly id: string;
  /** One line, with its clause. */
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  /** The answers that are not problems, by status. */
  readonly answers: Readonly<Record<number, Json>>;
  /** Error codes of this operation only. */
  readonly codes?: readonly RunEventsErrorCode[];
}

const text: Json = { schema: { type: "string" } };

const HEADERS: Readonly<Record<number, Json>> = {
  401: { "WWW-Authenticate": text },
  429: { "Retry-After": text },
  503: { "Retry-After": text },
};

/** Describes a header of an answer whose value is a text. */
export function textHeader(name: string): Json {
  return { [name]: text };
}

/**
 * Describes an answer with a JSON body.
 * @param schemas the name of its schema, or of each that it may have
 */
export function json(
  description: string,
  schemas: string | readonly string[],
  headers: Json = {},
): Json {
  const schema =
    typeof schemas === "string" ? schemaRef(schemas) : { anyOf: schemas.map(schemaRef) };
  return {
    description,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: { "application/json": { schema } },
  };
}

/** Describes an answer of text. */
export function plain(description: string, type = "text/plain"): Json {
  return { description, content: { [type]: { schema: { type: "string" } } } };
}

/** Describes an answer without a body. */
export function empty(description: string, headers: Json = {}): Json {
  return Object.keys(headers).length === 0 ? { description } : { description, headers };
}

/** Describes the problems of these codes, by status. @see clause W3 in `WIRE.md` */
export function problems(...codes: readonly RunEventsErrorCode[]): Json {
  const byStatus = Object.groupBy(codes, statusOf);
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
