import type { RunEvent } from "@tm/run-events-core";

/** The payload of each type of event. */
export type EventMap = Readonly<Record<string, unknown>>;

/** An event whose type tells its payload. */
export type TypedEvent<M extends EventMap> = {
  readonly [T in keyof M & string]: Omit<RunEvent, "eventType" | "payload"> & {
    readonly eventType: T;
    readonly payload: M[T];
  };
}[keyof M & string];
