import type { Check } from "./check.ts";
import { READING } from "./reading.ts";
import { shutdownCheck, STREAMING } from "./streaming.ts";
import { WRITING } from "./writing.ts";

/**
 * The checks of the probe in their order, which every host has to pass.
 * @param exitCode of the host's program when a signal asks it to end
 */
export function checksFor(exitCode: number | null): readonly Check[] {
  return [...WRITING, ...READING, ...STREAMING, shutdownCheck(exitCode)];
}
