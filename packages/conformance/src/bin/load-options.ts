import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ConformanceOptions } from "../conformance.ts";
import { Misuse } from "./misuse.ts";

/**
 * The options that a module exports as `conformance`, or that its function of that name gives.
 * @param module its path, from the working directory
 * @throws Misuse if the module exports none
 */
export async function loadOptions(module: string): Promise<ConformanceOptions<unknown>> {
  let options: Partial<ConformanceOptions<unknown>> | null | undefined;
  try {
    const { conformance } = await import(pathToFileURL(resolve(module)).href);
    options = typeof conformance === "function" ? await conformance() : conformance;
  } catch (cause) {
    const [why] = String(cause).split("\n");
    throw new Misuse(`${module} cannot be loaded: ${why}`, { cause });
  }
  if (typeof options?.name !== "string" || typeof options.open !== "function") {
    throw new Misuse(`Expected ${module} to export \`conformance\` with a name and \`open\`.`);
  }
  return options as ConformanceOptions<unknown>;
}
