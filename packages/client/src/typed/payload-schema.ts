import { RunEventsError } from "@tm/run-events-core";
import type { EventMap } from "./event-map.ts";

/**
 * The part of a Standard Schema that this package uses: zod, valibot, arktype and others have it.
 * @see https://standardschema.dev
 */
export interface PayloadSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** Schemas by event type. Payloads of other types pass unchecked. */
export type PayloadSchemas<M extends EventMap> = { readonly [T in keyof M]?: PayloadSchema<M[T]> };

/**
 * Checks an event's payload with its schema, if its type has one.
 * @returns the event, with the payload that the schema returns
 * @throws RunEventsError `invalid_event` with the schema's messages, which may quote the payload
 */
export async function checkPayload<
  Event extends { readonly eventType: string; readonly payload?: unknown },
>(schemas: PayloadSchemas<EventMap>, event: Event): Promise<Event> {
  const { eventType, payload } = event;
  const schema = hasSchema(schemas, eventType) ? schemas[eventType] : undefined;
  if (schema === undefined) return event;
  const result = await schema["~standard"].validate(payload);
  if (result.issues === undefined) return { ...event, payload: result.value };
  const what = result.issues.map(({ message }) => message).join("; ");
  throw new RunEventsError(
    "invalid_event",
    `The payload of ${eventType} does not fit its schema: ${what}`,
  );
}

/** Whether a type has a schema. A type may have the name of a member that all objects inherit. */
export function hasSchema(schemas: PayloadSchemas<EventMap>, eventType: string): boolean {
  return Object.hasOwn(schemas, eventType);
}
