/** Built-in functions that the packages call and older hosts lack. */
const NEEDED = ["Promise.withResolvers", "Object.groupBy", "Map.groupBy"];

/**
 * Refuses a host that is too old. Otherwise it would fail in the middle of a call, or at an import without a clear cause.
 * @param host its global object
 * @throws TypeError with the versions that are needed
 */
export function checkHost(host: Readonly<Record<string, unknown>>): void {
  for (const needed of NEEDED) {
    const [name = "", method = ""] = needed.split(".");
    const owner = host[name];
    if (typeof owner === "function" && method in owner) continue;
    throw new TypeError(
      `@tm/run-events-core needs Node 22.12 or later, or a browser from 2024 on: this host has no ${needed}.`,
    );
  }
}
