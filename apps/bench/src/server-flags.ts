import { readFileSync } from "node:fs";

/** Node's flags as `pnpm start` gives them to the server: memory is measured as those who run it have it. */
export const SERVER_FLAGS: readonly string[] = flagsOf(
  (
    JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
      readonly scripts: { readonly start: string };
    }
  ).scripts.start,
);

/** What stands between `node` and the program. */
function flagsOf(command: string): readonly string[] {
  const words = command.split(" ");
  return words.slice(1, words.indexOf("-C"));
}
