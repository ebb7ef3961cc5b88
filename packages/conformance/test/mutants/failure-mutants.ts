import { causedBy, type Leak, leakTexts, leakValues, textsOf } from "../leaking-doors.ts";
import type { Faults } from "./mutant.ts";

/** Stores whose failures show what was to be written. */
export const failureFaults: Faults<Leak> = {
  "S20 keeps a statement's values in the cause of a failure": leakValues,
  "S20 quotes what it could not write in the message of a failure": (failure, unwritten) =>
    Object.assign(causedBy(failure, failure.cause), {
      message: `Not written: ${textsOf(unwritten).join()}`,
    }),
  "S20 keeps a command's bytes beneath the cause of a failure": (failure, unwritten) => {
    const args = textsOf(unwritten).map((text) => new TextEncoder().encode(text));
    const answer = Object.assign(new Error("READONLY"), { command: { args } });
    return causedBy(failure, new Error("The command failed.", { cause: answer }));
  },
  "S20 hides a statement's values in its driver's error, where only a debugger shows them": (
    failure,
    unwritten,
  ) =>
    causedBy(
      failure,
      Object.defineProperty(new Error("The statement failed."), "values", {
        value: textsOf(unwritten),
      }),
    ),
  "S20 quotes the first characters of a payload that it could not write": (failure, { payloads }) =>
    leakTexts(
      failure,
      payloads.map((text) => `${text.slice(0, 16)}…`),
    ),
  "S20 quotes the metadata of a run that it could not create": (failure, { metadata }) =>
    leakTexts(failure, metadata),
  "S20 quotes the phase that it could not write": (failure, { phases }) =>
    leakTexts(failure, phases),
};
