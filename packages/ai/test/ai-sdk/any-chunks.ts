import { readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import fc from "fast-check";

/** JSON has no negative zero. */
const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)));
const id = fc.constantFrom("a", "b");
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.constantFrom('{"city": "Par', 'is"}', "\u{1F600}".repeat(60), "\uD83D", ""),
);
const providerMetadata = fc.record({ p: fc.record({ n: fc.nat(3) }) });
const tool = { toolCallId: id, toolName: fc.constant("weather") };
const messageMetadata = fc.record({ seen: fc.nat(3) });

/** A chunk of this type, with or without what it may have. */
function chunkOf<Type extends string, Must extends object, May extends object>(
  type: Type,
  must: { [Key in keyof Must]: fc.Arbitrary<Must[Key]> },
  may: { [Key in keyof May]: fc.Arbitrary<May[Key]> },
): fc.Arbitrary<{ type: Type } & Must & Partial<May>> {
  const rest = fc.tuple(fc.record(must), fc.record(may, { requiredKeys: [] }));
  return rest.map(
    ([has, mayHave]) => ({ type, ...has, ...mayHave }) as { type: Type } & Must & Partial<May>,
  );
}

/** Any chunks, also those of a part that has not begun. */
const chunk: fc.Arbitrary<UIMessageChunk> = fc.oneof(
  chunkOf("text-start", { id }, { providerMetadata }),
  chunkOf("text-delta", { id, delta: text }, { providerMetadata }),
  chunkOf("text-end", { id }, { providerMetadata }),
  chunkOf("reasoning-start", { id }, { providerMetadata }),
  chunkOf("reasoning-delta", { id, delta: text }, { providerMetadata }),
  chunkOf("tool-input-start", tool, { dynamic: fc.boolean() }),
  chunkOf("tool-input-delta", { toolCallId: id, inputTextDelta: text }, {}),
  chunkOf("tool-input-available", { ...tool, input: json }, {}),
  chunkOf("tool-output-available", { toolCallId: id, output: json }, {}),
  chunkOf("data-note", { data: json }, { id }),
  chunkOf("file", { url: text, mediaType: fc.constant("image/png") }, {}),
  chunkOf("start", {}, { messageMetadata }),
  chunkOf("message-metadata", { messageMetadata }, {}),
  chunkOf("finish", {}, { messageMetadata }),
  fc.constantFrom({ type: "start-step" as const }, { type: "finish-step" as const }),
  fc.constant({ type: "reset-step" as const }),
);

/** Parts with all their pieces, interleaved. */
const wellFormed = fc
  .array(chunk, { maxLength: 40 })
  .map((chunks): UIMessageChunk[] => [
    { type: "text-start", id: "a" },
    { type: "reasoning-start", id: "a" },
    { type: "text-start", id: "b" },
    { type: "tool-input-start", toolCallId: "a", toolName: "weather" },
    { type: "tool-input-start", toolCallId: "b", toolName: "weather", dynamic: true },
    ...chunks.filter(({ type }) => type.endsWith("-delta") || type.startsWith("data-")),
  ]);
/** Any chunks that a model may send. */
export const chunks: fc.Arbitrary<UIMessageChunk[]> = fc
  .oneof(fc.array(chunk, { maxLength: 30 }), wellFormed)
  .map(withinSteps);

/**
 * Without the pieces of an input that began in an earlier step. No model sends them, and the AI SDK shows one such piece otherwise than two
 * empty ones.
 */
function withinSteps(values: readonly UIMessageChunk[]): UIMessageChunk[] {
  const begun = new Set<string>();
  const earlier = new Set<string>();
  return values.filter((value) => {
    if (value.type === "tool-input-start") {
      begun.add(value.toolCallId);
      earlier.delete(value.toolCallId);
    }
    if (value.type === "start-step") for (const toolCallId of begun) earlier.add(toolCallId);
    return value.type !== "tool-input-delta" || !earlier.has(value.toolCallId);
  });
}

export function streamOf(values: readonly UIMessageChunk[]): ReadableStream<UIMessageChunk> {
  return new ReadableStream({
    start(controller) {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });
}

/** The chunks as a server records them: they begin with a `start` that names the message. Without it, the AI SDK does not show a step that has nothing else. */
export function named(values: readonly UIMessageChunk[]): readonly UIMessageChunk[] {
  const start: UIMessageChunk = { type: "start", messageId: "named" };
  const all = values.map((value) => (value.type === "start" ? { ...value, ...start } : value));
  return all.length === 0 || all[0]?.type === "start" ? all : [start, ...all];
}

/** The parts of the message that the AI SDK makes of the chunks themselves. */
export async function fold(values: readonly UIMessageChunk[]): Promise<UIMessage["parts"]> {
  let folded: UIMessage | undefined;
  for await (const state of readUIMessageStream({ stream: streamOf(values) })) folded = state;
  return folded?.parts ?? [];
}
