import fc from "fast-check";
import { sayWhy } from "./describe-error.ts";
import type { InputAddress, SavedExample } from "./replay.ts";

/** A random case's failure: what broke, the smallest input that was found, and where to find that again. */
export class Counterexample extends Error {
  override readonly name = "Counterexample";
  readonly example: SavedExample;
  /** Whether it was asked for by its address, rather than found. */
  readonly isReplayed: boolean;

  /**
   * @param input as it was run
   * @param found how it came to be found, as a sentence
   */
  constructor(
    input: unknown,
    address: InputAddress,
    { cause, found, isReplayed }: CounterexampleDetails,
  ) {
    const text = fc.stringify(input);
    super(`${sayWhy(cause)}\n\nThe input: ${text}\n${found}`, { cause });
    const { seed, path } = address;
    this.example = { seed, path, input: text };
    this.isReplayed = isReplayed;
  }
}

interface CounterexampleDetails {
  readonly cause: unknown;
  readonly found: string;
  readonly isReplayed: boolean;
}
