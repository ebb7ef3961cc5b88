import type { UIMessageChunk } from "ai";
import { joinNeighbours } from "../produce/join-neighbours.ts";

/** The chunk that does what these two do one after the other; `null` if they are not two pieces of one part. */
function joinTwo(earlier: UIMessageChunk, later: UIMessageChunk): UIMessageChunk | null {
  if (earlier.type === "tool-input-delta" && later.type === "tool-input-delta") {
    if (earlier.toolCallId !== later.toolCallId) return null;
    return { ...earlier, ...later, inputTextDelta: earlier.inputTextDelta + later.inputTextDelta };
  }
  if (
    (earlier.type === "text-delta" && later.type === "text-delta") ||
    (earlier.type === "reasoning-delta" && later.type === "reasoning-delta")
  ) {
    // Metadata of the provider in a later piece replaces that of an earlier one, as it does in the message.
    if (earlier.id !== later.id) return null;
    return { ...earlier, ...later, delta: earlier.delta + later.delta };
  }
  return null;
}

/** Whether the chunk is a piece of a part, such as a token. */
export function isDelta({ type }: UIMessageChunk): boolean {
  return type === "text-delta" || type === "reasoning-delta" || type === "tool-input-delta";
}

/** Joins neighbouring pieces of one part. The message that the chunks make stays the same. */
export function joinDeltas(chunks: Iterable<UIMessageChunk>): UIMessageChunk[] {
  return joinNeighbours(chunks, joinTwo);
}
