const encoder = new TextEncoder();

/**
 * Encodes a text that is the same in every answer: at its first use, once for all answers.
 * @returns gives the bytes, which all answers share and no answer may change
 */
export function sharedText(make: () => string): () => Uint8Array {
  let bytes: Uint8Array | null = null;
  return () => (bytes ??= encoder.encode(make()));
}
