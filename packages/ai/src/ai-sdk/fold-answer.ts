import type { RunStatus } from "@tm/run-events-core";
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import type { LoggedRun } from "../runs/topic-runs.ts";
import { chunksOf, endOf, messageOf } from "./answer-events.ts";
import { joinDeltas } from "./join-deltas.ts";

/** The run of an answered message, in its `metadata.run`. */
export interface AnswerRun {
  readonly runId: string;
  /** `running` while it is made; `completed`, `failed` or `cancelled` after it. Only a completed answer is whole. */
  readonly runStatus: RunStatus;
  /** The text of a failure that the user may read. */
  readonly errorText?: string;
}

/**
 * The messages after one more: it follows the others. If one of them has its id, it replaces that one and all after it, as an edit or a
 * second attempt at an answer does.
 */
export function withMessage<Message extends UIMessage>(
  messages: readonly Message[],
  message: Message,
): readonly Message[] {
  const index = messages.findIndex(({ id }) => id === message.id);
  return [...(index === -1 ? messages : messages.slice(0, index)), message];
}

/** The messages after an answer: with the message that it answers, and with the answer as far as it came. */
export async function foldAnswer<Message extends UIMessage>(
  earlier: readonly Message[],
  { runId, runStatus, events }: LoggedRun,
): Promise<readonly Message[]> {
  const asked = events.map(messageOf<Message>).find((message) => message !== null);
  // The process died before the message had landed.
  if (asked === undefined) return earlier;
  const messages = withMessage(earlier, asked);
  const last = messages.at(-1);
  const continued = last?.role === "assistant" ? last : undefined;
  const end = events.map(endOf).find((chunk) => chunk !== null);
  const made = (await foldChunks(events.flatMap(chunksOf), continued)) ?? continued;
  // The answer has nothing to show yet.
  if (made === undefined && runStatus === "running") return messages;
  const answer: UIMessage = made ?? { id: runId, role: "assistant", parts: [] };
  const run: AnswerRun = {
    runId,
    runStatus,
    ...(end?.type === "error" && { errorText: end.errorText }),
  };
  const { metadata } = answer;
  const isObject = typeof metadata === "object" && metadata !== null;
  const described = { ...answer, metadata: { ...(isObject && metadata), run } } as Message;
  const isContinued = continued?.id === described.id;
  return [...(isContinued ? messages.slice(0, -1) : messages), described];
}

/**
 * The message that the AI SDK makes of these chunks; `null` if it makes none.
 * @param continued the message to which the chunks belong; by default they begin one
 */
async function foldChunks<Message extends UIMessage>(
  chunks: readonly UIMessageChunk[],
  continued?: Message,
): Promise<Message | null> {
  // The AI SDK copies the message at each chunk: the fewer, the better.
  const joined = joinDeltas(chunks);
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of joined) controller.enqueue(chunk);
      controller.close();
    },
  });
  let folded: Message | null = null;
  const message = continued && structuredClone(continued);
  for await (const state of readUIMessageStream<Message>({ ...(message && { message }), stream })) {
    folded = state;
  }
  return folded;
}
