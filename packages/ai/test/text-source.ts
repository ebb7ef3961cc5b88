/** A stream that a test writes. */
export interface TextSource {
  readonly stream: ReadableStream<string>;
  write(text: string): void;
  close(): void;
  fail(error: unknown): void;
  /** Resolves with the reason once the stream is cancelled. */
  readonly cancelled: Promise<unknown>;
}

/** Makes a stream that a test writes. */
export function createTextSource(): TextSource {
  const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
  let controller: ReadableStreamDefaultController<string> | undefined;
  const stream = new ReadableStream<string>({
    start: (given) => void (controller = given),
    cancel: (reason) => resolve(reason),
  });
  return {
    stream,
    cancelled,
    write: (text) => controller?.enqueue(text),
    close: () => controller?.close(),
    fail: (error) => controller?.error(error),
  };
}

/** A stream of these texts that ends after them. */
export function streamOf(texts: readonly string[]): ReadableStream<string> {
  const source = createTextSource();
  for (const text of texts) source.write(text);
  source.close();
  return source.stream;
}

/** The whole text of a stream. @throws what the stream fails with */
export async function readAll(stream: ReadableStream<string> | null | undefined): Promise<string> {
  return (await readToEnd(stream)).text;
}

/** The text of a stream up to its end or its failure. */
export async function readPart(
  stream: ReadableStream<string> | null | undefined,
): Promise<{ readonly text: string; readonly error: unknown }> {
  return readToEnd(stream, (error) => error);
}

async function readToEnd(
  stream: ReadableStream<string> | null | undefined,
  onError?: (error: unknown) => unknown,
): Promise<{ readonly text: string; readonly error: unknown }> {
  if (stream === null || stream === undefined)
    throw new TypeError(`Expected a stream, got ${stream}.`);
  let text = "";
  try {
    for await (const part of stream) text += part;
  } catch (error) {
    if (onError === undefined) throw error;
    return { text, error: onError(error) };
  }
  return { text, error: null };
}

/** Reads until it has the text. The stream can be read on. */
export async function readUntil(
  stream: ReadableStream<string> | null | undefined,
  text: string,
): Promise<void> {
  const reader = stream?.getReader();
  let got = "";
  while (got !== text) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || !text.startsWith(got + value)) {
      throw new Error(`Expected "${text}", got "${got}${value}".`);
    }
    got += value;
  }
  reader?.releaseLock();
}
