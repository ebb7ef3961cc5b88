// Runs the kit's cases one by one with a short time limit, and prints the reds. For work on a store of the new contract.
import { runEventStoreConformance } from "@tm/run-events-conformance";

const GONE =
  /^(S29|S30) |many owners race|race a creation under the same id|S13 creating and del|owner's runs? notify/;
export async function judge(
  name: string,
  open: () => any,
  more: object = {},
  only?: RegExp,
): Promise<void> {
  const cases = runEventStoreConformance({
    name,
    ...(open === undefined ? {} : { open }),
    profile: (process.env["KIT"] ?? "quick") as "quick",
    ...more,
  });
  let green = 0;
  const from = Date.now();
  for (const one of cases) {
    if (GONE.test(one.name) || (only !== undefined && !only.test(one.name))) continue;
    if (process.env["SAY"]) console.log(one.name);
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(new Error("too long")), 120_000);
    const late = new Promise((_, reject) =>
      setTimeout(() => reject(new Error("hangs")), 130_000).unref(),
    );
    try {
      await Promise.race([one.run({ signal: abort.signal }), late]);
      green += 1;
    } catch (error) {
      console.log(`RED ${one.name}\n    ${String((error as Error).message).slice(0, 700)}`);
    }
    clearTimeout(limit);
  }
  console.log(`${green} green in ${Date.now() - from} ms`);
  process.exit(0);
}
