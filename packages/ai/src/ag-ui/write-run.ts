import {
  PROTOCOL_VERSION,
  type RunAgentInput,
  type RunErrorEvent,
  type RunFinishedEvent,
} from "@ag-ui/client";
import type { EventDraft, WorkedRun } from "@tm/run-events-core";
import { requests } from "@tm/run-events-core/wire";
import { isFlatJson } from "../runs/event-parts.ts";
import { pulled } from "../streams/pulled.ts";
import { readUntilStopped } from "../produce/read-until-stopped.ts";
import { refusal } from "../routes/refusals.ts";
import { ShownError } from "../produce/shown-failure.ts";
import type { ValueWriter } from "../produce/value-writer.ts";
import { type AgentEvent, CUT_SHORT_TEXT, isDelta, isRecordable } from "./log-events.ts";

/** The events of an agent: a stream, or an `Observable` such as that of `AbstractAgent.run`. */
export type AgentEvents =
  | AsyncIterable<AgentEvent>
  | {
      subscribe(observer: {
        readonly next: (event: AgentEvent) => void;
        readonly error: (error: unknown) => void;
        readonly complete: () => void;
      }): { unsubscribe(): void };
    };

/** One call of an agent. */
export interface AgentCall {
  /** The input of AG-UI that the page has sent: check it. */
  readonly input: RunAgentInput;
  /** Aborts when the run is stopped, by any process, or the program shuts down. Pass it to the model. */
  readonly signal: AbortSignal;
}

/** An agent: it makes the events of one run. */
export type RunAgent = (call: AgentCall) => AgentEvents | Promise<AgentEvents>;

/**
 * The `RUN_STARTED` of a run, so that readers see its request. It has only the messages that are new to the thread.
 * @throws RunEventsError `invalid_request` for a request that no log takes. A run that waits must not fail by it
 */
export function startOf(
  { threadId, runId, parentRunId, messages, resume }: RunAgentInput,
  known: ReadonlySet<unknown>,
): object {
  const added = messages.filter(({ id }) => !known.has(id));
  const input = { threadId, runId, messages: added, tools: [], context: [], resume };
  const start = { threadId, runId, parentRunId, protocolVersion: PROTOCOL_VERSION, input };
  if (isFlatJson(start)) return start;
  throw refusal(
    "invalid_request",
    `Expected a request that is JSON and nested ${requests.MAX_JSON_DEPTH} deep at most, got another one. Pass what is deeper as text.`,
  );
}

/**
 * Writes the events of an agent into its run, up to its end. A run that waits for an answer is parked.
 * @throws ShownError for a run that has failed by its own events, or has no end
 * @throws what the agent fails with, or the reason of the worker's signal
 */
export async function writeRun(
  run: WorkedRun,
  writer: ValueWriter,
  input: RunAgentInput,
  agent: RunAgent,
): Promise<void> {
  const ids = { threadId: input.threadId, runId: input.runId };
  let end: EventDraft | undefined;

  async function take(event: AgentEvent): Promise<boolean> {
    const { type, ...members } = event;
    if (!isRecordable(type) || type === "RUN_STARTED") return false;
    if (type === "RUN_FINISHED") {
      end = endOf(event as RunFinishedEvent);
      await writer.append(type, { ...members, ...ids }, end);
      return true;
    }
    await writer.write(type, members, isDelta(type));
    if (type === "RUN_ERROR") throw new ShownError(String((event as RunErrorEvent).message));
    return false;
  }

  const { signal } = run;
  await readUntilStopped(signal, async () => streamOf(await agent({ input, signal })), take);
  if (end === undefined) throw new ShownError(CUT_SHORT_TEXT);
  if (end.eventType === "INPUT_REQUESTED") await run.park();
}

/** The event after `RUN_FINISHED` that ends the run or makes it wait. */
function endOf({ outcome }: RunFinishedEvent): EventDraft {
  if (outcome?.type === "cancelled") return { eventType: "RUN_CANCELLED" };
  // Without an interrupt a page has nothing to answer.
  const interrupts = outcome?.type === "interrupt" ? outcome.interrupts : [];
  if (interrupts.length === 0) return { eventType: "RUN_COMPLETED" };
  const question = interrupts.map(({ message, reason }) => message ?? reason).join("\n");
  const interruptIds = interrupts.map(({ id }) => id);
  const payload = { question: question.slice(0, 2_000), interruptIds };
  return { eventType: "INPUT_REQUESTED", payload };
}

function streamOf(events: AgentEvents): ReadableStream<AgentEvent> {
  if ("getReader" in events) return events as ReadableStream<AgentEvent>;
  if (!("subscribe" in events)) return pulled(() => events);
  let subscription: { unsubscribe(): void } | undefined;
  return new ReadableStream({
    start(controller) {
      subscription = events.subscribe({
        next: (event) => controller.enqueue(event),
        error: (error) => controller.error(error),
        complete: () => controller.close(),
      });
    },
    cancel: () => subscription?.unsubscribe(),
  });
}
