/** One request and what has come of its answer so far. */
export class Conversation {
  readonly #parts: Buffer[] = [];
  readonly #pieces: number[] = [];
  readonly #leave: () => void;
  readonly #isWhole: (received: Buffer) => boolean;
  #isEnded = false;
  #changed = ignore;

  constructor(leave: () => void, isWhole: (received: Buffer) => boolean = () => false) {
    this.#leave = leave;
    this.#isWhole = isWhole;
  }

  /** The answer so far, byte for byte. */
  received(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** The sizes of the pieces in which it came. */
  pieces(): readonly number[] {
    return this.#pieces;
  }

  add(part: Uint8Array): void {
    this.#parts.push(Buffer.from(part));
    this.#pieces.push(part.length);
    this.#changed();
  }

  /** Nothing more can come. */
  end(): void {
    this.#isEnded = true;
    this.#changed();
  }

  /** Resolves once the answer holds this text this many times. */
  hasReceived(text: string, times = 1): Promise<void> {
    return this.#until(() => this.received().toString("utf8").split(text).length > times);
  }

  /** Resolves once the answer is whole. */
  hasEnded(): Promise<void> {
    return this.#until(() => this.#isEnded || this.#isWhole(this.received()));
  }

  leave(): void {
    this.#leave();
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        if (!isSo()) return;
        this.#changed = ignore;
        resolve();
      };
      this.#changed();
    });
  }
}

function ignore(): void {}
