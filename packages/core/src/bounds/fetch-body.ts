/** The most bytes of a refused body that are read after its answer. */
const REST_BYTES = 4_194_304;

/**
 * Reads the bytes of a body as they arrive.
 * @param answered resolves when the answer is there. If the body was not read whole, the rest is then read and discarded
 */
export async function* piecesOf(
  body: ReadableStream<Uint8Array> | null,
  answered: Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  let isWhole = false;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    isWhole = true;
  } finally {
    reader.releaseLock();
    if (!isWhole) void answered.then(() => discardRest(body));
  }
}

/**
 * Reads the rest of a body and discards it. The host cannot, since a stream that was read in part keeps the rest. If the connection were
 * closed before the client has sent everything, the answer could be lost, and the client could try to use the connection again. The host
 * limits the time.
 */
async function discardRest(body: ReadableStream<Uint8Array>): Promise<void> {
  // The host reads the rest itself.
  if (body.locked) return;
  const reader = body.getReader();
  try {
    for (let left = REST_BYTES; left > 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
    }
  } catch {
    // The client has gone.
  } finally {
    reader.releaseLock();
  }
}
