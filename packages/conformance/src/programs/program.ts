import fc from "fast-check";
import { escaped } from "../assert.ts";
import type { RaceRun, RaceStep } from "../races/race.ts";

/** Calls of one client, one after the other, as plain data. */
export interface Program {
  /** The spelling of the names in its steps. */
  readonly spelling: string;
  readonly steps: readonly ProgramStep[];
}

/** A call that races have too, or one that only means something while no other client runs. */
export type ProgramStep =
  | RaceStep
  | ({
      /** Subscribes to the run, or to its owner. */
      readonly call: "subscribe";
      readonly to: "run" | "owner";
    } & RaceRun)
  /** Stops the subscription that is open for longest. */
  | { readonly call: "stop" }
  /** Waits until the store's clock has moved. */
  | { readonly call: "tick" }
  /** Asks whether the store can write. */
  | { readonly call: "probe" }
  /** Closes one store object, and opens another in its place. */
  | { readonly call: "reopen" };

const SHOWN_CHARACTERS = 200;

/** The program as a failure shows it. */
export function shownProgram(program: Program): Program {
  const text = (): string => `spelled ${program.spelling}: ${program.steps.map(textOf).join(", ")}`;
  return { ...program, [fc.toStringMethod]: text } as Program;
}

function textOf({ call, ...input }: ProgramStep): string {
  return `${call}(${escaped(JSON.stringify(input, inShort))})`;
}

/** A long payload says nothing in a failure but its length. */
function inShort(_key: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= SHOWN_CHARACTERS) return value;
  return `${value.slice(0, SHOWN_CHARACTERS)}… ${value.length} characters`;
}
