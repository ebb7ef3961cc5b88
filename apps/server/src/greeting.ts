import type { RunningServer } from "./server.ts";
import { encodeStoreUrl, type StoreUrl } from "./settings.ts";

/**
 * What the server says on standard output once it serves: the line that scripts wait for, and below it what a newcomer
 * needs. A token is shown only if the server made it.
 * @see the wire's "The reference server"
 */
export function encodeGreeting(running: RunningServer, storeUrl: StoreUrl): string {
  const { url, localUrl, generated } = running;
  const token = generated?.token ?? "$TOKEN";
  const curl = `curl -H "Authorization: Bearer ${token}"`;
  const json = `-H "Content-Type: application/json"`;
  const source =
    generated === null
      ? "  token    one of API_TOKENS; for the lines below: export TOKEN=..."
      : `  token    ${generated.token}  (user ${generated.userId}, kept in ${generated.path})`;
  return [
    `listening on ${url} (${encodeStoreUrl(storeUrl)})`,
    "",
    source,
    `  console  ${localUrl}/`,
    "",
    `  ${curl} ${json} -d '{"runId":"hello"}' ${localUrl}/v1/agent-runs`,
    `  ${curl} "${localUrl}/v1/agent-runs?limit=5"`,
    "",
    "",
  ].join("\n");
}
