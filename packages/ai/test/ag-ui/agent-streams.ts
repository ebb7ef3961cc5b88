import { AbstractAgent, type BaseEvent, type RunAgentInput, verifyEvents } from "@ag-ui/client";
import fc from "fast-check";
import { from, lastValueFrom, toArray } from "rxjs";

/** A step of an agent, which may be one that it cannot make now. */
interface Step {
  readonly kind: "open" | "piece" | "close" | "chunk" | "state" | "custom" | "subagent";
  readonly of: keyof typeof OPENED;
  readonly id: string;
  readonly text: string;
}

/** Each kind of thing that an agent may open: the events that open it, add to it and close it, and the member with its id. */
const OPENED = {
  text: ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "messageId"],
  tool: ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "toolCallId"],
  reasoning: [
    "REASONING_MESSAGE_START",
    "REASONING_MESSAGE_CONTENT",
    "REASONING_MESSAGE_END",
    "messageId",
  ],
  span: ["REASONING_START", null, "REASONING_END", "messageId"],
  step: ["STEP_STARTED", null, "STEP_FINISHED", "stepName"],
} as const;

const ROLES = { text: { role: "assistant" }, reasoning: { role: "reasoning" } } as const;

const text = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 10 }),
  fc.constantFrom(
    '{"city": "Par',
    'is"}',
    "\u{1F600}".repeat(60),
    "\uD83D",
    '"type":"RUN_FINISHED"',
  ),
);

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    // Pieces are most of what agents make.
    kind: fc.oneof(
      { weight: 4, arbitrary: fc.constant("piece" as const) },
      { weight: 2, arbitrary: fc.constantFrom("open" as const, "chunk" as const) },
      fc.constantFrom("close" as const, "state" as const, "custom" as const, "subagent" as const),
    ),
    of: fc.constantFrom("text", "tool", "reasoning", "span", "step"),
    id: fc.constantFrom("a", "b"),
    text,
  }),
  { maxLength: 60 },
);

/** Makes the steps that are possible into events, in order. */
class StreamMaker {
  readonly events: BaseEvent[] = [];
  readonly #open = new Map<string, BaseEvent>();
  #subagents = 0;

  take({ kind, of, id, text: delta }: Step): void {
    const [opener, piece, closer, name] = OPENED[of];
    const named = { [name]: `${of}-${id}` };
    const key = `${of}-${id}`;
    const isOpen = this.#open.has(key);
    if (kind === "open" && !isOpen) {
      const role = of === "text" || of === "reasoning" ? ROLES[of] : {};
      const tool = of === "tool" ? { toolCallName: "look" } : {};
      this.#add({ type: opener, ...named, ...role, ...tool });
      this.#open.set(key, { type: closer, ...named } as BaseEvent);
    }
    if (kind === "piece" && isOpen && piece !== null) this.#add({ type: piece, ...named, delta });
    if (kind === "close" && isOpen) this.#close(key);
    if (kind === "chunk")
      this.#add({ type: "TEXT_MESSAGE_CHUNK", messageId: `chunk-${id}`, delta });
    if (kind === "state") this.#add({ type: "STATE_SNAPSHOT", snapshot: { [id]: delta } });
    if (kind === "custom") this.#add({ type: "CUSTOM", name: id, value: [delta, null] });
    if (kind === "subagent") this.#toggle(id);
  }

  /** Closes what is open, the last first. */
  closeAll(): void {
    for (const key of [...this.#open.keys()].toReversed()) this.#close(key);
  }

  #toggle(id: string): void {
    const key = `subagent-${id}`;
    if (this.#open.has(key)) return this.#close(key);
    const subagentRunId = `s-${(this.#subagents += 1)}`;
    this.#add({ type: "SUBAGENT_STARTED", subagentRunId, name: id });
    const type = id === "a" ? "SUBAGENT_FINISHED" : "SUBAGENT_ERROR";
    const message = type === "SUBAGENT_ERROR" ? { message: "No." } : {};
    this.#open.set(key, { type, subagentRunId, ...message } as BaseEvent);
  }

  #close(key: string): void {
    this.#add(this.#open.get(key) ?? { type: "" });
    this.#open.delete(key);
  }

  #add(event: { readonly type: string; readonly [name: string]: unknown }): void {
    this.events.push(event as BaseEvent);
  }
}

/** The events that an agent emits between the beginning and the end of a run. Some of these streams leave things open. */
export const agentStream: fc.Arbitrary<readonly BaseEvent[]> = steps.map((given) => {
  const maker = new StreamMaker();
  for (const step of given) maker.take(step);
  maker.closeAll();
  return maker.events;
});

/** The events that the verifier of AG-UI lets through. @throws its error */
export async function verify(events: readonly BaseEvent[]): Promise<readonly BaseEvent[]> {
  return lastValueFrom(verifyEvents(false)(from(events)).pipe(toArray()));
}

/** An agent in this process. */
class LocalAgent extends AbstractAgent {
  readonly #events: readonly BaseEvent[];

  constructor(events: readonly BaseEvent[]) {
    super({ threadId: "t" });
    this.#events = events;
  }

  override run(_input: RunAgentInput): ReturnType<AbstractAgent["run"]> {
    return from(this.#events);
  }
}

/** The messages and the state that the client of AG-UI makes of events. */
export async function fold(events: readonly BaseEvent[]): Promise<unknown> {
  const agent = new LocalAgent(events);
  await agent.runAgent();
  return { messages: agent.messages, state: agent.state };
}
