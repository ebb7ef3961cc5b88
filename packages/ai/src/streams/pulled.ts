/**
 * Makes a stream of what an iteration yields. The iteration goes on only when the stream is read: between two reads it does nothing.
 * @param make called at once with the signal of a reader that cancels
 */
export function pulled<Value>(
  make: (signal: AbortSignal) => AsyncIterable<Value>,
): ReadableStream<Value> {
  const stop = new AbortController();
  const values = make(stop.signal)[Symbol.asyncIterator]();
  return new ReadableStream<Value>(
    {
      async pull(controller) {
        const { done, value } = await values.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        stop.abort(reason);
        await values.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
