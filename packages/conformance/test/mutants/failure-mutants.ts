import { beneathDoors } from "../beneath-doors.ts";
import {
  causedBy,
  type Leak,
  leakingDoors,
  leakTexts,
  leakValues,
  textsOf,
} from "../leaking-doors.ts";
import { type Mutant, storeCases } from "./mutant.ts";

const LEAKS: Readonly<Record<string, Leak>> = {
  "keeps a statement's values in the cause of a failure": leakValues,
  "quotes what it could not write in the message of a failure": (failure, unwritten) =>
    Object.assign(causedBy(failure, failure.cause), {
      message: `Not written: ${textsOf(unwritten).join()}`,
    }),
  "keeps a command's bytes beneath the cause of a failure": (failure, unwritten) => {
    const args = textsOf(unwritten).map((text) => new TextEncoder().encode(text));
    const answer = Object.assign(new Error("READONLY"), { command: { args } });
    return causedBy(failure, new Error("The command failed.", { cause: answer }));
  },
  "hides a statement's values in its driver's error, where only a debugger shows them": (
    failure,
    unwritten,
  ) =>
    causedBy(
      failure,
      Object.defineProperty(new Error("The statement failed."), "values", {
        value: textsOf(unwritten),
      }),
    ),
  "quotes the first characters of a payload that it could not write": (failure, { payloads }) =>
    leakTexts(
      failure,
      payloads.map((text) => `${text.slice(0, 16)}…`),
    ),
  "quotes the metadata of a run that it could not create": (failure, { metadata }) =>
    leakTexts(failure, metadata),
  "quotes the phase that it could not write": (failure, { phases }) => leakTexts(failure, phases),
};

/** Stores whose failures show what was to be written. */
export const failureMutants: readonly Mutant[] = Object.entries(LEAKS).map(([name, leak]) => ({
  name,
  clause: "S20",
  cases: () => storeCases(leakingDoors(beneathDoors(), leak)),
}));
