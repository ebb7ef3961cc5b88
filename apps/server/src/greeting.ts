import { escapeText } from "@tm/run-events-core/wire";
import type { RunningServer } from "./server.ts";
import type { Settings } from "./settings.ts";
import { encodeStoreUrl } from "./store-url.ts";

/** A description of what a store may lose, by its durability. */
const RISKS: Readonly<Record<Exclude<RunningServer["durability"], "power" | null>, string>> = {
  memory: "a crash or a restart of it may lose acknowledged appends",
  process: "a loss of power may lose acknowledged appends",
  unknown: "it does not report what survives a crash",
};

/** A token that a shell takes as it is, also between double quotes. */
const PLAIN = /^[\w.~+/=-]+$/;

/**
 * The text on standard output once the server serves: the line that scripts wait for, and below it what a newcomer needs. A
 * token is shown only if the server generated it.
 * @see "Session and health" in `WIRE.md`
 */
export function encodeGreeting(running: RunningServer, settings: Settings): string {
  const { url, localUrl, generated, durability } = running;
  const token = generated !== null && PLAIN.test(generated.token) ? generated.token : "$TOKEN";
  const curl = `curl -H "Authorization: Bearer ${token}"`;
  const json = `-H "Content-Type: application/json"`;
  const runs = `${localUrl}/v1/agent-runs`;
  const source =
    generated === null
      ? "  token    one of API_TOKENS; for the lines below: export TOKEN=..."
      : `  token    ${generated.token}  (user ${generated.userId}, kept in ${generated.path})`;
  return [
    `listening on ${url} (${encodeStoreUrl(settings.storeUrl)})`,
    "",
    source,
    `  console  ${localUrl}/`,
    ...encodeStore(durability),
    ...encodeWarning(settings),
    "",
    `  ${curl} ${json} -d '{"runId":"hello"}' ${runs}`,
    `  ${curl} ${json} -d '{"events":[{"eventType":"STEP","payload":1}]}' ${runs}/hello/events`,
    `  ${curl} "${runs}/hello/events?since=0"`,
    `  ${curl} "${runs}?limit=5"`,
    "",
    "",
  ]
    .map(escapeText)
    .join("\n");
}

function encodeStore(durability: RunningServer["durability"]): readonly string[] {
  if (durability === "power") return [];
  if (durability === null) return ["  store    away: requests are answered 503 until it is back"];
  return [`  store    durability ${durability}: ${RISKS[durability]}`];
}

/**
 * Warns of generated secrets on a database that other servers can use, since each of those would generate others. The data folder
 * of a SQLite file is the file's folder, so servers that share the file share the secrets.
 */
function encodeWarning({ storeUrl, apiTokens, sessionSecret }: Settings): readonly string[] {
  if (storeUrl.kind === "memory" || storeUrl.kind === "sqlite") return [];
  const missing = [
    ...(apiTokens === null ? ["API_TOKENS"] : []),
    ...(sessionSecret === null ? ["SESSION_SECRET"] : []),
  ];
  if (missing.length === 0) return [];
  return [
    `  warning  generated here: ${missing.join(", ")}; give every server on this store the same`,
  ];
}
