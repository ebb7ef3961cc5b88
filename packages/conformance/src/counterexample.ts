import fc from "fast-check";
import { sayWhy } from "./describe-error.ts";
import type { InputAddress } from "./replay.ts";

/** An input that was found, and where to find it again. Plain data, fit for JSON. */
export interface FoundInput extends InputAddress {
  /** The input as text. */
  readonly input: string;
}

/** A random case's failure: what broke, the smallest input that was found, and where to find that again. */
export class Counterexample extends Error {
  override readonly name = "Counterexample";
  readonly found: FoundInput;

  /**
   * @param input as it was run
   * @param how a sentence about how it was found
   */
  constructor(input: unknown, address: InputAddress, how: string, cause: unknown) {
    const text = fc.stringify(input);
    super(`${sayWhy(cause)}\n\nThe input: ${text}\n${how}`, { cause });
    this.found = { seed: address.seed, path: address.path, input: text };
  }
}
