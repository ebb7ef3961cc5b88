import { RunEventsError } from "@tm/run-events-core";
import type { Connection } from "./connection.ts";
import { FORMAT } from "./scripts/probe.ts";

/** The number of this program's format of keys. */
const KEY_FORMAT = "2";

/**
 * Checks that the keys under the prefix are of this program's format, and numbers the format of a prefix without keys. Also throws what the
 * client throws.
 * @throws RunEventsError `store_unavailable` for keys of another format
 * @see clause S19 in `STORE.md`
 */
export async function checkFormat({ run, keys }: Connection): Promise<void> {
  const found = String(await run(FORMAT, [keys.format], [KEY_FORMAT]));
  if (found === KEY_FORMAT) return;
  throw new RunEventsError(
    "store_unavailable",
    `Expected keys of format ${KEY_FORMAT} under the prefix, got the ${Number(found) < Number(KEY_FORMAT) ? "older" : "newer"} format ${found}, which this program cannot read. Use the program that wrote them, or open the store under another \`prefix\`.`,
    { retryable: false },
  );
}
