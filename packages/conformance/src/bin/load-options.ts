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
  let options: unknown;
  try {
    const exported: Readonly<Record<string, unknown>> = await import(
      pathToFileURL(resolve(module)).href
    );
    options = exported["conformance"];
    if (typeof options === "function") options = await options();
  } catch (cause) {
    const [why] = String(cause).split("\n");
    throw new Misuse(`${module} cannot be loaded: ${why}`, { cause });
  }
  if (!isOptions(options)) {
    throw new Misuse(`Expected ${module} to export \`conformance\` with a name and \`open\`.`);
  }
  return options;
}

function isOptions(value: unknown): value is ConformanceOptions<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "open" in value &&
    typeof value.open === "function"
  );
}
