import { type BaseEvent, EventType } from "@ag-ui/client";
import type { RunEvent } from "@tm/run-events-core";
import { failureText } from "../produce/shown-failure.ts";
import { type AgentEvent, CUT_SHORT_TEXT, eventsOf, isRecordable } from "./log-events.ts";

/** The events that open something, each with the event that closes it and the members that name it. */
const OPENERS = new Map<string, readonly [closer: EventType, ...names: readonly string[]]>([
  ["TEXT_MESSAGE_START", [EventType.TEXT_MESSAGE_END, "messageId"]],
  ["TOOL_CALL_START", [EventType.TOOL_CALL_END, "toolCallId"]],
  ["REASONING_START", [EventType.REASONING_END, "messageId"]],
  ["REASONING_MESSAGE_START", [EventType.REASONING_MESSAGE_END, "messageId"]],
  ["STEP_STARTED", [EventType.STEP_FINISHED, "stepName", "subagentRunId"]],
  ["SUBAGENT_STARTED", [EventType.SUBAGENT_FINISHED, "subagentRunId"]],
]);

/** Turns the log of a run into events of AG-UI, from its start. A run that was cut short also ends with an event of AG-UI. */
export class RunReader {
  /** The closing event of each thing that is open now. */
  readonly #closers = new Map<string, BaseEvent>();
  /** The last `RUN_STARTED`. */
  #started: AgentEvent | undefined;
  /** The event that ends the run for AG-UI, where a question also ends it; `undefined` while it goes on. */
  #end: BaseEvent | undefined;

  /** The events of AG-UI for one of the log. */
  read(event: RunEvent): readonly BaseEvent[] {
    const { eventType, payload } = event;
    if (eventType === "RUN_FAILED") return this.#fail(payload);
    if (eventType === "RUN_CANCELLED") return this.#cancel();
    if (!isRecordable(eventType)) return [];
    const events = eventsOf(event) as readonly BaseEvent[];
    for (const one of events) this.#note(one);
    return events;
  }

  /** The events that show a reader the open question once more. */
  again(): readonly BaseEvent[] {
    return this.#end === undefined ? [] : [this.#start(), this.#end];
  }

  #note(event: BaseEvent): void {
    const { type } = event;
    if (type === EventType.RUN_STARTED) {
      this.#started = event;
      this.#end = undefined;
      this.#closers.clear();
    }
    if (type === EventType.RUN_FINISHED || type === EventType.RUN_ERROR) this.#end = event;
    const [closer, ...names] = OPENERS.get(type) ?? [];
    if (closer !== undefined) {
      const closing = membersOf(event, names);
      this.#closers.set(keyOf(closer, closing), { type: closer, ...closing });
      return;
    }
    const closed = type === EventType.SUBAGENT_ERROR ? EventType.SUBAGENT_FINISHED : type;
    for (const [opened, ...of] of OPENERS.values()) {
      if (opened === closed) this.#closers.delete(keyOf(closed, membersOf(event, of)));
    }
  }

  #fail(payload: unknown): readonly BaseEvent[] {
    if (this.#end?.type === EventType.RUN_ERROR) return [];
    const { reason } = (payload ?? {}) as { readonly reason?: unknown };
    const message = failureText(payload, CUT_SHORT_TEXT);
    return [
      { type: EventType.RUN_ERROR, message, ...(typeof reason === "string" && { code: reason }) },
    ];
  }

  #cancel(): readonly BaseEvent[] {
    const { outcome } = (this.#end ?? {}) as { readonly outcome?: { readonly type?: unknown } };
    if (this.#started === undefined || outcome?.type === "cancelled") return [];
    const { threadId, runId } = this.#start();
    const end = { type: EventType.RUN_FINISHED, threadId, runId, outcome: { type: "cancelled" } };
    // A waiting run has its end event already. A reader of the next events needs one of its own.
    if (this.#end !== undefined) return [this.#start(), end];
    return [...[...this.#closers.values()].toReversed(), end];
  }

  #start(): BaseEvent {
    const { threadId, runId } = (this.#started ?? {}) as Partial<BaseEvent>;
    return { type: EventType.RUN_STARTED, threadId, runId };
  }
}

/** Picks the named members that the event has. */
function membersOf(event: BaseEvent, names: readonly string[]): Readonly<Record<string, unknown>> {
  const has = names.filter((name) => event[name] !== undefined);
  return Object.fromEntries(has.map((name) => [name, event[name]]));
}

function keyOf(closer: string, members: Readonly<Record<string, unknown>>): string {
  return JSON.stringify([closer, members]);
}
