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
    super(`${sayWhy(cause)}\n\nThe input: ${text.replace(COMMANDS, "")}\n${found}`, { cause });
    const commands = address.commands ?? COMMANDS.exec(text)?.[1];
    const { seed, path } = address;
    const where = { seed, path, ...(commands === undefined ? {} : { commands }) };
    this.example = { ...where, input: text.replace(COMMANDS, "") };
    this.isReplayed = isReplayed;
  }
}

interface CounterexampleDetails {
  readonly cause: unknown;
  readonly found: string;
  readonly isReplayed: boolean;
}

/** How fast-check ends the text of a program of commands. */
const COMMANDS = /\s*\/\*replayPath="([^"]*)"\*\/$/;
