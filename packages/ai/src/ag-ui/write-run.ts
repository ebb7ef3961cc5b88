import { PROTOCOL_VERSION, type RunAgentInput } from "@ag-ui/client";
import type { EventDraft, RunEvents, WorkedRun } from "@tm/run-events-core";
import { appendValue } from "../event-parts.ts";
import { insist } from "../insist.ts";
import { pulled } from "../pulled.ts";
import { readUntilStopped } from "../read-until-stopped.ts";
import { ShownError } from "../shown-failure.ts";
import { type AgentEvent, CUT_SHORT_TEXT, draftsOf, isDelta, isRecordable } from "./log-events.ts";

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

type Limits = RunEvents["log"]["limits"];

/** Writes the `RUN_STARTED` of a run, so that readers see its request. It has only the messages that are new to the thread. */
export async function writeStart(
  run: WorkedRun,
  { threadId, runId, parentRunId, messages, resume }: RunAgentInput,
  known: ReadonlySet<string>,
  limits: Limits,
): Promise<void> {
  const added = messages.filter(({ id }) => !known.has(id));
  const asked = {
    threadId,
    runId,
    messages: added,
    tools: [],
    context: [],
    ...(resume && { resume }),
  };
  const started = {
    threadId,
    runId,
    protocolVersion: PROTOCOL_VERSION,
    ...(parentRunId !== undefined && { parentRunId }),
    input: asked,
  };
  await appendValue(run, "RUN_STARTED", started, limits);
}

/**
 * Writes the events of an agent into its run, up to its end. A run that waits for an answer is parked.
 * @throws ShownError for a run that has failed by its own events, or has no end
 * @throws what the agent fails with, or the reason of the worker's signal
 */
export async function writeRun(
  run: WorkedRun,
  input: RunAgentInput,
  agent: RunAgent,
  { maxPayloadBytes }: Limits,
): Promise<void> {
  const ids = { threadId: input.threadId, runId: input.runId };
  let hasDelta = false;
  let end: EventDraft | undefined;

  /** Appends at once, with what was emitted before. */
  async function append(
    drafts: readonly EventDraft[],
    ...rest: readonly EventDraft[]
  ): Promise<void> {
    for (const { eventType, payload } of drafts.slice(0, -1)) await run.emit(eventType, payload);
    await insist(() => run.append([...drafts.slice(-1), ...rest]), run.signal);
  }

  async function take(event: AgentEvent): Promise<boolean> {
    const { type } = event;
    if (!isRecordable(type) || type === "RUN_STARTED") return false;
    const isEnd = type === "RUN_FINISHED";
    const drafts = draftsOf(isEnd ? { ...event, ...ids } : event, maxPayloadBytes);
    if (isEnd) {
      end = endOf(event);
      await append(drafts, end);
    } else if (isDelta(event) && !hasDelta) {
      // The first token does not wait for others.
      hasDelta = true;
      await append(drafts);
    } else for (const { eventType, payload } of drafts) await run.emit(eventType, payload);
    if (type === "RUN_ERROR")
      throw new ShownError(String((event as { message?: unknown }).message));
    return isEnd;
  }

  const { signal } = run;
  await readUntilStopped(signal, async () => streamOf(await agent({ input, signal })), take);
  if (end === undefined) throw new ShownError(CUT_SHORT_TEXT);
  if (end.eventType === "INPUT_REQUESTED") await run.park();
}

/** The event after `RUN_FINISHED` that ends the run or makes it wait. */
function endOf(finished: AgentEvent): EventDraft {
  const { outcome } = finished as {
    readonly outcome?: {
      readonly type?: unknown;
      readonly interrupts?: readonly {
        readonly id: string;
        readonly reason: string;
        readonly message?: string;
      }[];
    };
  };
  if (outcome?.type === "cancelled") return { eventType: "RUN_CANCELLED" };
  if (outcome?.type !== "interrupt") return { eventType: "RUN_COMPLETED" };
  const interrupts = outcome.interrupts ?? [];
  const question = interrupts.map(({ message, reason }) => message ?? reason).join("\n");
  const payload = {
    question: question.slice(0, 2_000),
    interruptIds: interrupts.map(({ id }) => id),
  };
  return { eventType: "INPUT_REQUESTED", payload };
}

function streamOf(events: AgentEvents): ReadableStream<AgentEvent> {
  if ("getReader" in events) return events as ReadableStream<AgentEvent>;
  if (!("subscribe" in events)) return pulled(() => generate(events));
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

async function* generate<Value>(values: AsyncIterable<Value>): AsyncGenerator<Value, void> {
  yield* values;
}
