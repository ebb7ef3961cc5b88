import { RunEventsError } from "../../rules/errors.ts";
import type { KvEngine } from "./engine.ts";
import { FORMAT } from "./keys.ts";
import { untilDone } from "./until-done.ts";

/** The number of this program's format of keys and values. */
const NUMBER = "1";

/**
 * Makes the check that a store has this program's format, which gives an empty store its number. It is made once, before the first call.
 * @returns rejects with `store_unavailable` for a store of another format
 * @see clause S19 in `STORE.md`
 */
export function createFormatCheck(engine: KvEngine): () => Promise<void> {
  let checking: Promise<void> | null = null;
  return () => {
    checking ??= checkFormat(engine).catch((error: unknown) => {
      checking = null;
      throw error;
    });
    return checking;
  };
}

function checkFormat(engine: KvEngine): Promise<void> {
  const number = { key: FORMAT, value: NUMBER };
  return untilDone(async () => {
    const [found = null] = await engine.read((snapshot) => snapshot.get([FORMAT]));
    if (found !== null && found !== NUMBER) throw otherFormat(found);
    // Another process may number it at the same time: then it is read again.
    return found === NUMBER || engine.commit([{ ...number, value: null }], [number]);
  });
}

function otherFormat(found: string): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    `Expected a store of format ${NUMBER}, got the ${Number(found) < Number(NUMBER) ? "older" : "newer"} format ${found}, which this program cannot read. Use the program that wrote it, or give the engine another database or another prefix of keys.`,
    { retryable: false },
  );
}
