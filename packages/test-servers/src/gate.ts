import { Transform } from "node:stream";

/** The side of a proxy that sends. */
export type Sender = "client" | "server";

/**
 * Passes the bytes of a proxy's connections on, or holds them back.
 *
 * | state           | `stall()` | `stallAnswers()` | `resume()` | bytes of clients | bytes of servers |
 * | --------------- | --------- | ---------------- | ---------- | ---------------- | ---------------- |
 * | open            | stalled   | answers stalled  |            | pass             | pass             |
 * | answers stalled | stalled   |                  | open       | pass             | are held back    |
 * | stalled         |           | answers stalled  | open       | are held back    | are held back    |
 */
export class Gate {
  #stalled: PromiseWithResolvers<void> | null = null;
  #isOfAnswers = false;
  readonly #held = new Map<Transform, Buffer[]>();

  stall(): void {
    this.#stalled ??= Promise.withResolvers();
    this.#isOfAnswers = false;
  }

  stallAnswers(): void {
    this.#stalled ??= Promise.withResolvers();
    this.#isOfAnswers = true;
  }

  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = null;
    for (const [passage, chunks] of this.#held) passage.push(Buffer.concat(chunks));
    this.#held.clear();
  }

  /** The treatment of a direction's chunks. Chunks that are held back pass as one, so that the reader gets them all at once. */
  passage(from: Sender, pass: (chunk: Buffer) => Buffer): Transform {
    const isOpen = (): boolean =>
      this.#stalled === null || (this.#isOfAnswers && from === "client");
    const passage = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (isOpen()) {
          done(null, pass(chunk));
          return;
        }
        this.#held.set(passage, [...(this.#held.get(passage) ?? []), pass(chunk)]);
        done();
      },
      flush: (done) => {
        void (isOpen() ? Promise.resolve() : this.#stalled?.promise)?.then(() => done());
      },
    });
    passage.on("close", () => this.#held.delete(passage));
    return passage;
  }
}
