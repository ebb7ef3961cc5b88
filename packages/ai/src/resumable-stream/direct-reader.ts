/** The most text, in UTF-16 units, that may wait for the reader. */
const MOST_UNREAD = 1_048_576;

/**
 * The reader of the caller that produces: it gets the text as it comes, not through the store. A reader that is too slow gets what waits,
 * and then an error, so that a stalled connection holds no more than 1 Mi units of a text. It can resume the stream from the log.
 */
export class DirectReader {
  readonly stream: ReadableStream<string>;
  #controller: ReadableStreamDefaultController<string> | null = null;
  /** Whether the reader has left, or gets only what already waits for it. */
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;

  constructor() {
    this.stream = new ReadableStream<string>(
      {
        start: (controller) => void (this.#controller = controller),
        // Called when all is read.
        pull: () => this.#failIfDue(),
        cancel: () => void (this.#isOver = true),
      },
      { highWaterMark: 0, size: (text) => text.length },
    );
  }

  /** Gives the reader the next text. */
  push(text: string): void {
    if (this.#isOver || text === "") return;
    if (this.#unread() <= MOST_UNREAD) return this.#controller?.enqueue(text);
    this.fail(
      new Error(
        `Expected a reader with at most ${MOST_UNREAD} characters to read, got more. Resume the stream with what the reader has.`,
      ),
    );
  }

  /** Ends the stream: all of the text is in the log, and the run has completed. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller?.close();
  }

  /** Fails the stream, after what waits to be read. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = { error };
    if (this.#unread() === 0) this.#failIfDue();
  }

  #unread(): number {
    return -(this.#controller?.desiredSize ?? 0);
  }

  #failIfDue(): void {
    if (this.#failure !== null) this.#controller?.error(this.#failure.error);
  }
}
