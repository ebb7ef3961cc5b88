import type { ResumableStreamLease, ResumableStreamStore } from "assistant-stream/resumable";

/** The UTF-8 bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Acquires a stream. @throws Error unless it makes the caller its producer */
export async function acquireLease(
  store: ResumableStreamStore,
  streamId: string,
  options?: { readonly ttlMs?: number },
): Promise<ResumableStreamLease> {
  const acquired = await store.acquireLease?.(streamId, options);
  if (acquired?.role !== "producer")
    throw new Error(`Expected the role producer, got ${acquired?.role}.`);
  return acquired.lease;
}

/** All that a reader gets of a stream, up to its end or its error. */
export async function readStore(
  store: ResumableStreamStore,
  streamId: string,
  cursor = "",
): Promise<{
  readonly texts: readonly string[];
  readonly cursors: readonly string[];
  readonly error: unknown;
}> {
  const texts: string[] = [];
  const cursors: string[] = [];
  try {
    for await (const entry of store.read(streamId, cursor, new AbortController().signal)) {
      texts.push(new TextDecoder().decode(entry.chunk));
      cursors.push(entry.cursor);
    }
  } catch (error) {
    return { texts, cursors, error };
  }
  return { texts, cursors, error: null };
}
