import { RunEventsError } from "@tm/run-events-core";
import { describeValue } from "@tm/run-events-core/wire";
import type { Exchange } from "../exchange/exchange.ts";
import type { Schema } from "./schema.ts";

/** The part of a request that has its parameters. */
export type Asked = Pick<Exchange, "query" | "header">;

/** A header or a parameter of the query: what a request may have, and how the OpenAPI document describes that. */
export interface Parameter<Value> {
  /** The parameter in the OpenAPI document. */
  readonly described: Schema;
  /** @throws RunEventsError `invalid_request`, `invalid_cursor` */
  readonly parse: (asked: Asked) => Value;
}

/** Makes the error of a bad parameter, header or body. @see clause W3 in `WIRE.md` */
export function invalidRequest(message: string): RunEventsError {
  return new RunEventsError("invalid_request", message);
}

/**
 * Makes a parameter of the query that may be there once.
 * @param read gets its text; `null` without it
 */
export function queryParameter<Value>(
  name: string,
  description: string,
  schema: Schema,
  read: (text: string | null) => Value,
): Parameter<Value> {
  return {
    described: { name, in: "query", description, schema },
    parse({ query }) {
      const values = query.getAll(name);
      if (values.length > 1)
        throw invalidRequest(`Expected \`${name}\` once, got it ${values.length} times.`);
      return read(values[0] ?? null);
    },
  };
}

/** Makes a parameter that is an integer from 1 to `most`. @param fallback its value where a request does not have it */
export function integerParameter<Fallback extends number | null>(
  name: string,
  description: string,
  { most, fallback }: { readonly most: number; readonly fallback: Fallback },
): Parameter<number | Fallback> {
  const bounds = { type: "integer", minimum: 1, maximum: most };
  const schema = fallback === null ? bounds : { ...bounds, default: fallback };
  return queryParameter(name, description, schema, (text) => {
    if (text === null) return fallback;
    const value = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
    if (value <= most) return value;
    throw invalidRequest(
      `Expected \`${name}\` to be an integer from 1 to ${most}, got ${describeValue(text)}.`,
    );
  });
}

/** Makes a parameter that is taken as text. */
export function textParameter(
  name: string,
  description: string,
  schema: Schema = { type: "string" },
): Parameter<string | null> {
  return queryParameter(name, description, schema, (text) => text);
}

/** Makes a header. @param read gets its text; `null` without it */
export function headerParameter<Value>(
  name: string,
  description: string,
  schema: Schema,
  read: (text: string | null) => Value,
): Parameter<Value> {
  return {
    described: { name, in: "header", description, schema },
    parse: ({ header }) => read(header(name.toLowerCase())),
  };
}
