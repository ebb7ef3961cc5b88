import type { RunEventsErrorCode } from "@tm/run-events-core";
import { statusOf } from "../exchange/error-codes.ts";
import type { Body } from "./body.ts";
import type { Parameter } from "./parameter.ts";
import { type Schema, schemaRef } from "./schema.ts";

/** One method of one path, as the OpenAPI document describes it. */
export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path, with `{runId}` for a run's id, or `{code}` for an error's code. */
  readonly path: string;
  /** The required credential: none, any, or a session. @see clauses W4 and W19 in `WIRE.md` */
  readonly access: "open" | "any" | "session";
  readonly tag: "writing" | "leases" | "polling" | "live stream" | "description";
  readonly id: string;
  /** One line, with its clause. */
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter<unknown>[];
  readonly body?: Body<unknown>;
  /** The other content types that its body may have. */
  readonly contents?: Readonly<Record<string, Schema>>;
  /** The answers that are not problems, by status. */
  readonly answers: Readonly<Record<number, Schema>>;
  /** Error codes of this operation only. */
  readonly codes?: readonly RunEventsErrorCode[];
}

/**
 * Whether a method changes something, so that a page of another origin must not send it with a cookie.
 * @see clause W5 in `WIRE.md`
 */
export function isChange({ method }: Pick<Operation, "method">): boolean {
  return method !== "GET";
}

const text: Schema = { schema: { type: "string" } };

const HEADERS: Readonly<Record<number, Schema>> = {
  401: { "WWW-Authenticate": text },
  429: { "Retry-After": text },
  503: { "Retry-After": text },
};

/** Describes a header of an answer whose value is a text. */
export function textHeader(name: string): Schema {
  return { [name]: text };
}

/**
 * Describes an answer with a JSON body.
 * @param schemas the name of its schema, or of each that it may have
 */
export function json(
  description: string,
  schemas: string | readonly string[],
  headers: Schema = {},
): Schema {
  const schema =
    typeof schemas === "string" ? schemaRef(schemas) : { anyOf: schemas.map(schemaRef) };
  return { description, headers, content: { "application/json": { schema } } };
}

/** Describes an answer of text. */
export function plain(description: string, type = "text/plain"): Schema {
  return { description, content: { [type]: text } };
}

/** Describes the problems of these codes, by status. @see clause W3 in `WIRE.md` */
export function problems(codes: readonly RunEventsErrorCode[]): Schema {
  const byStatus = Object.entries(Object.groupBy(codes, statusOf));
  return Object.fromEntries(
    byStatus.map(([status, of = []]) => [
      status,
      {
        description: of.map((code) => `\`${code}\``).join(", "),
        headers: HEADERS[Number(status)] ?? {},
        content: {
          "application/problem+json": {
            schema: { ...schemaRef("Problem"), type: "object", properties: { code: { enum: of } } },
          },
        },
      },
    ]),
  );
}
