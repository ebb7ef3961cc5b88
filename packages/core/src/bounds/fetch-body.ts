/** The most bytes of a refused body that are read after its answer. */
const REST_BYTES = 4_194_304;

/**
 * The bytes of a body as they arrive.
 * @param answered resolves with the answer. What is left of a body that was not read whole is then read, and discarded
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
 * Reads the rest of a body. A host cannot: a stream that was begun holds the rest back. To close before the client has sent all could lose
 * the answer, and the client may take the connection for one that it can use again. The host limits the time.
 */
async function discardRest(body: ReadableStream<Uint8Array>): Promise<void> {
  // A host that reads the rest itself.
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
