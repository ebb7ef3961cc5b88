import type { RunEvent } from "@tm/run-events-core";

/** The payload of each type of event. */
export type EventMap = Readonly<Record<string, unknown>>;

/** The types that every run may have: a program need not name them. */
type LifecycleType =
  | "RUN_STARTED"
  | "PHASE_STARTED"
  | "RUN_COMPLETED"
  | "RUN_FAILED"
  | "RUN_CANCELLED";

/** Only an enum is a string that narrowing by another string rules out. */
declare enum Other {
  type = "a type that the map does not name",
}

/** A type of event that no map names. It is a string like any other. */
export type OtherType = Other.type;

interface EventOf<Type extends string, Payload> extends Omit<RunEvent, "eventType" | "payload"> {
  readonly eventType: Type;
  readonly payload: Payload;
}

/** The payload of a type of event as a map says it; `unknown` if it does not. */
export type PayloadOf<M extends EventMap, Type extends string> = Type extends keyof M
  ? M[Type]
  : unknown;

/**
 * An event whose type tells its payload. A run may also have events of types that the map does not name, whose payload is `unknown`:
 * those of its lifecycle, and of other programs (`OtherType`). Ask for `eventType` first.
 */
export type TypedEvent<M extends EventMap> = string extends keyof M
  ? EventOf<string, M[string]>
  : | { readonly [T in (keyof M & string) | LifecycleType]: EventOf<T, PayloadOf<M, T>> }[
        | (keyof M & string)
        | LifecycleType]
    | EventOf<OtherType, unknown>;
