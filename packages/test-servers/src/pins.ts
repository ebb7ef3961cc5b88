import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The versions that the workspace pins.
 *
 * @throws TypeError for a package that it does not pin
 */
export function pinsOf(packages: readonly string[]): Readonly<Record<string, string>> {
  const pins = readFileSync(join(import.meta.dirname, "../../../pnpm-workspace.yaml"), "utf8");
  return Object.fromEntries(
    packages.map((name) => {
      const [, version] = new RegExp(`^  "?${name}"?: (\\S+)$`, "m").exec(pins) ?? [];
      if (version === undefined) throw new TypeError(`Expected ${name} in the catalog.`);
      return [name, version];
    }),
  );
}
