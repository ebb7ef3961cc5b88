import type { AgentCall, AgentEvent, RunAgent } from "../../src/ag-ui.ts";

/** An agent whose events the test writes. */
export interface WrittenAgent {
  readonly run: RunAgent;
  /** Resolves with the call that has this number, from 1. */
  readonly asked: (count: number) => Promise<AgentCall>;
  readonly write: (...events: readonly (AgentEvent & Readonly<Record<string, unknown>>)[]) => void;
  /** Begins a text, or goes on with it. */
  readonly say: (...pieces: readonly string[]) => void;
  /** Ends the text and the run. */
  readonly finish: (outcome?: unknown) => void;
  /** Ends the stream without an end of the run. */
  readonly leave: () => void;
  readonly fail: (error: unknown) => void;
  /** Resolves when the signal of the last call aborts. */
  readonly stopped: () => Promise<void>;
}

/** Makes an agent whose events the test writes. */
export function createWrittenAgent(): WrittenAgent {
  const calls: AgentCall[] = [];
  let controller: ReadableStreamDefaultController<AgentEvent> | undefined;
  let onAsked = Promise.withResolvers<void>();
  let onStopped = Promise.withResolvers<void>();
  let text: string | null = null;
  const write: WrittenAgent["write"] = (...events) => {
    for (const event of events) controller?.enqueue(event);
  };
  const endText = (): void => {
    if (text !== null) write({ type: "TEXT_MESSAGE_END", messageId: text });
    text = null;
  };
  return {
    run(call) {
      const stopped = (onStopped = Promise.withResolvers());
      call.signal.addEventListener("abort", () => stopped.resolve());
      text = null;
      const stream = new ReadableStream<AgentEvent>({
        start: (given) => void (controller = given),
      });
      calls.push(call);
      onAsked.resolve();
      onAsked = Promise.withResolvers();
      write({ type: "RUN_STARTED", threadId: "own", runId: "own" });
      return stream;
    },
    async asked(count) {
      for (;;) {
        const call = calls[count - 1];
        if (call !== undefined) return call;
        await onAsked.promise;
      }
    },
    write,
    say(...pieces) {
      if (text === null) {
        text = `answer-${calls.length}-${crypto.randomUUID()}`;
        write({ type: "TEXT_MESSAGE_START", messageId: text, role: "assistant" });
      }
      for (const delta of pieces) write({ type: "TEXT_MESSAGE_CONTENT", messageId: text, delta });
    },
    finish(outcome) {
      endText();
      write({
        type: "RUN_FINISHED",
        threadId: "own",
        runId: "own",
        ...(outcome !== undefined && { outcome }),
      });
    },
    leave: () => controller?.close(),
    fail: (error) => controller?.error(error),
    stopped: () => onStopped.promise,
  };
}
