import type { Call, HeaderList } from "./call.ts";
import { pathOf } from "./runs.ts";

/** The headers of a body in JSON. */
export const JSON_TYPE = { "content-type": "application/json" };
const BODY = '{"events":[{"eventType":"NOTE"}]}';

/** Every request about a run that changes it, without a credential. The last ends it. */
export function changesOn(runId: string): readonly Call[] {
  const path = pathOf(runId, "/events");
  const lines = { "content-type": "application/x-ndjson" };
  return [
    { method: "POST", path, headers: JSON_TYPE, body: BODY },
    { method: "POST", path, headers: { ...JSON_TYPE, "idempotency-key": "k" }, body: BODY },
    { method: "POST", path, headers: lines, body: '{"eventType":"NOTE"}\n' },
    { method: "POST", path: pathOf(runId, "/cancel") },
  ];
}

/** Requests that read a run, without a credential. */
export function readsOn(runId: string): readonly Call[] {
  return [{ path: pathOf(runId) }, { path: pathOf(runId, "/events") }];
}

/** The call with more headers. */
export function withHeaders(call: Call, headers: HeaderList): Call {
  return { ...call, headers: { ...call.headers, ...headers } };
}
