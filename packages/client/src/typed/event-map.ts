import type { RunEvent } from "@tm/run-events-core";

/** The payload of each type of event. */
export type EventMap = Readonly<Record<string, unknown>>;

/** The event types that every run may have. A map may omit them. */
type LifecycleType =
  | "RUN_STARTED"
  | "PHASE_STARTED"
  | "RUN_COMPLETED"
  | "RUN_FAILED"
  | "RUN_CANCELLED";

/** An enum, since a comparison with another string rules out an enum's type, but not `string`. */
declare enum Other {
  type = "a type that the map does not name",
}

/** The type of an event that the map does not name. At run time it is any string. */
export type OtherType = Other.type;

interface EventOf<Type extends string, Payload> extends Omit<RunEvent, "eventType" | "payload"> {
  readonly eventType: Type;
  readonly payload: Payload;
}

/** The payload of an event type in a map; `unknown` if the map does not name the type. */
export type PayloadOf<M extends EventMap, Type extends string> = Type extends keyof M
  ? M[Type]
  : unknown;

/**
 * An event whose `eventType` decides the type of its `payload`. A run may also have events that the map does not name: those of its
 * lifecycle, and those of other programs ({@link OtherType}). Their payload is `unknown`. Check `eventType` first.
 */
export type TypedEvent<M extends EventMap> = string extends keyof M
  ? EventOf<string, M[string]>
  : | { readonly [T in (keyof M & string) | LifecycleType]: EventOf<T, PayloadOf<M, T>> }[
        | (keyof M & string)
        | LifecycleType]
    | EventOf<OtherType, unknown>;
