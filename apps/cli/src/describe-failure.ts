import type { RunEventsError } from "@tm/run-events-core";

/** Describes why a call has failed, and what to do, in one line. */
export function describeFailure(error: RunEventsError): string {
  const advice = adviceOn(error);
  return advice === null ? error.message : describeWith(error, advice);
}

/** Describes why a call has failed, and what follows, in one line. */
export function describeWith(error: RunEventsError, what: string): string {
  return `${error.message.replace(/[.?]$/, "")}: ${what}`;
}

function adviceOn(error: RunEventsError): string | null {
  if (error.code === "unauthenticated")
    return "give another token with RUN_EVENTS_TOKEN or RUN_EVENTS_TOKEN_FILE";
  if (error.code === "store_unavailable" && !isOfServer(error))
    return "start the server, or set its address with --url or RUN_EVENTS_URL";
  return null;
}

/** Whether the server itself refused, and not a proxy. Only the server's problems have a code. @see clause W3 in `WIRE.md` */
function isOfServer({ details }: RunEventsError): boolean {
  return "code" in details;
}
