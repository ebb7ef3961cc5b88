/** What the packages call that the hosts before them do not have. */
const NEEDED = ["Promise.withResolvers", "Object.groupBy", "Map.groupBy"];

/**
 * Refuses a host that is too old, where it would fail in the middle of a call, or at an import with words that name no cause.
 * @param host its global object
 * @throws TypeError that says which one is needed
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
