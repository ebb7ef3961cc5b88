import { describeValue, eachJsonMember } from "@tm/run-events-core/wire";
import { invalidRequest } from "./parameter.ts";
import { objectOf, type Schema } from "./schema.ts";

/** A member of a body: what a body may have, and how the OpenAPI document describes that. */
export interface Field<Value> {
  readonly schema: Schema;
  readonly isOptional: boolean;
  /** Reads its JSON text; `undefined` where a body does not have it. */
  readonly read: (text: string | undefined, name: string) => Value;
}

/** A body that is a JSON object. */
export interface Body<Values> {
  /** The name of its schema in the OpenAPI document. */
  readonly name: string;
  readonly schema: Schema;
  /** Whether a request needs it, since one of its members is not optional. */
  readonly isRequired: boolean;
  /**
   * @param text known to be JSON; `null` for a request without a body
   * @throws RunEventsError `invalid_request`
   */
  parse(text: string | null): Values;
}

/** Makes a body of its fields. */
export function bodyOf<Values extends object>(
  name: string,
  fields: { readonly [Name in keyof Values]: Field<Values[Name]> },
): Body<Values> {
  const all: readonly (readonly [string, Field<unknown>])[] = Object.entries(fields);
  const known = all.map(([field]) => field);
  const schemas = all.map(([field, { schema, isOptional }]): [string, Schema] => [
    isOptional ? `${field}?` : field,
    schema,
  ]);
  return {
    name,
    schema: { ...objectOf(Object.fromEntries(schemas)), additionalProperties: false },
    isRequired: all.some(([, { isOptional }]) => !isOptional),
    parse(text) {
      const members = membersOf(text, known);
      const values: Record<string, unknown> = {};
      for (const [field, { read }] of all) values[field] = read(members.get(field), field);
      return values as Values;
    },
  };
}

/** The members of a body's object by key, each value as its text. Empty for a request without a body. */
function membersOf(body: string | null, known: readonly string[]): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  if (body === null) return members;
  if (kindOfJson(body) !== KINDS["{"])
    throw invalidRequest(`Expected the body to be a JSON object, got ${kindOfJson(body)}.`);
  for (const { key, text } of eachJsonMember(body)) {
    if (!known.includes(key))
      throw invalidRequest(
        `Expected no fields in the body but ${known.join(", ")}, got ${describeValue(key)}.`,
      );
    if (members.has(key))
      throw invalidRequest(`Expected each field of the body once, got ${key} twice.`);
    members.set(key, text);
  }
  return members;
}

/** Names what a JSON text holds, without its content: that may be a payload. */
export function kindOfJson(text: string): string {
  return KINDS[text.trimStart().charAt(0)] ?? "a number";
}

const KINDS: Readonly<Record<string, string>> = {
  "{": "an object",
  "[": "an array",
  '"': "a string",
  t: "a boolean",
  f: "a boolean",
  n: "null",
};

/** A field that every body has, as a number. */
export function numberField(schema: Schema): Field<number> {
  return { schema, isOptional: false, read: readNumber };
}

/** A field that a body may have, as a number. */
export function optionalNumber(schema: Schema): Field<number | undefined> {
  return {
    schema,
    isOptional: true,
    read: (text, name) => (text === undefined ? undefined : readNumber(text, name)),
  };
}

/** A field that a body may have. @param read gets its value; `undefined` where a body does not have it */
export function optionalField<Value>(
  schema: Schema,
  read: (value: unknown) => Value,
): Field<Value> {
  const parse = (text: string | undefined): unknown =>
    text === undefined ? undefined : (JSON.parse(text) as unknown);
  return { schema, isOptional: true, read: (text) => read(parse(text)) };
}

function readNumber(text: string | undefined, name: string): number {
  const value: unknown = JSON.parse(text ?? "null");
  if (typeof value === "number") return value;
  throw invalidRequest(`Expected \`${name}\` to be a number, got ${describeValue(value)}.`);
}
