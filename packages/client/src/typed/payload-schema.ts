import { RunEventsError } from "@tm/run-events-core";
import type { EventMap } from "./event-map.ts";

/**
 * What this package needs of a Standard Schema: zod, valibot, arktype and others have it.
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

/** A schema for the payloads of some types of event; others pass as they are. */
export type PayloadSchemas<M extends EventMap> = { readonly [T in keyof M]?: PayloadSchema<M[T]> };

/**
 * The event with its payload as its schema gives it back.
 * @throws RunEventsError `invalid_event` with what the schema has to say, which may quote what it refuses
 */
export async function checkPayload<
  Event extends { readonly eventType: string; readonly payload?: unknown },
>(schemas: PayloadSchemas<EventMap>, event: Event): Promise<Event> {
  const { eventType, payload } = event;
  const schema = schemas[eventType];
  if (schema === undefined) return event;
  const result = await schema["~standard"].validate(payload);
  if (result.issues === undefined) return { ...event, payload: result.value };
  const what = result.issues.map(({ message }) => message).join("; ");
  throw new RunEventsError("invalid_event", `The payload of ${eventType}: ${what}`);
}
