/** The most text, in UTF-16 units, that may wait for the reader before it goes on from the log. */
const MOST_UNREAD = 1_048_576;

/**
 * The producing caller's own reader: it gets the text as it comes, without a way through the store. A reader that is slow goes on from the log,
 * so that a stalled connection holds no more than 1 Mi units of a text.
 *
 * | it is  | until                                         | then   |
 * | ------ | --------------------------------------------- | ------ |
 * | direct | a text comes while too much waits             | late   |
 * | direct | the run has ended, and all that waits is read | closed |
 * | late   | the log has ended                             | closed |
 * | any    | the reader cancels                            | closed |
 */
export class DirectReader {
  readonly stream: ReadableStream<string>;
  readonly #openLog: () => (skip: number) => ReadableStream<string>;
  #readLog: ((skip: number) => ReadableStream<string>) | null = null;
  #controller: ReadableStreamDefaultController<string> | null = null;
  #state: "direct" | "late" | "closed" = "direct";
  #log: ReadableStreamDefaultReader<string> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #pushed = 0;

  /**
   * @param openLog called while the run is live, once the reader is late. It returns a function that may be called at any later time, and
   * which reads the same text from the log, but for its first `skip` UTF-16 units
   */
  constructor(openLog: () => (skip: number) => ReadableStream<string>) {
    this.#openLog = openLog;
    this.stream = new ReadableStream<string>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pull(),
        cancel: async (reason) => {
          this.#state = "closed";
          await this.#log?.cancel(reason);
        },
      },
      { highWaterMark: 0, size: (text) => text.length },
    );
  }

  /** Gives the reader the next text, unless it is late. */
  push(text: string): void {
    if (this.#state !== "direct" || text === "") return;
    if (this.#unread() > MOST_UNREAD) {
      this.#state = "late";
      this.#readLog = this.#openLog();
      return;
    }
    this.#pushed += text.length;
    this.#controller?.enqueue(text);
  }

  /** Ends the stream: all of the text is in the log, and the run has completed. */
  close(): void {
    if (this.#state !== "direct") return;
    this.#state = "closed";
    this.#controller?.close();
  }

  /** Fails the stream, after what waits to be read. */
  fail(error: unknown): void {
    if (this.#state !== "direct") return;
    this.#failure = { error };
    if (this.#unread() === 0) void this.#pull();
  }

  #unread(): number {
    return -(this.#controller?.desiredSize ?? 0);
  }

  /** Called when all is read. */
  async #pull(): Promise<void> {
    if (this.#failure !== null) {
      this.#state = "closed";
      this.#controller?.error(this.#failure.error);
    }
    if (this.#state !== "late" || this.#readLog === null) return;
    this.#log ??= this.#readLog(this.#pushed).getReader();
    const { done, value } = await this.#log.read();
    if (!done) return this.#controller?.enqueue(value);
    this.#state = "closed";
    this.#controller?.close();
  }
}
