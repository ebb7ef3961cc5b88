import { RunEventsError } from "@tm/run-events-core";
import type { Connection } from "./connection.ts";
import { EXISTS, FORMAT } from "./scripts/probe.ts";

/** The number of this program's format of keys. The one before had no number. */
const KEY_FORMAT = "2";

/**
 * Checks that the keys under the prefix are of this program's format, and numbers the format of a prefix without keys. Also throws what the
 * client throws.
 * @throws RunEventsError `store_unavailable` for keys of another format
 * @see clause S19 in `STORE.md`
 */
export async function checkFormat({ run, keys }: Connection): Promise<void> {
  if (Number(await run(EXISTS, [keys.oldOrdinal], [])) === 1) {
    throw new RunEventsError(
      "store_unavailable",
      "Expected keys of this program's format, but those under the prefix are of an earlier one, which it cannot read. Open the store under another `prefix`; the program that wrote these keys still reads them.",
      { retryable: false },
    );
  }
  const found = String(await run(FORMAT, [keys.format], [KEY_FORMAT]));
  if (found === KEY_FORMAT) return;
  throw new RunEventsError(
    "store_unavailable",
    `Expected keys of format ${KEY_FORMAT} under the prefix, got format ${found}: update this program, or open the store under another \`prefix\`.`,
    { retryable: false },
  );
}
