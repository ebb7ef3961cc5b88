import type { Call, HeaderList } from "./call.ts";
import { pathOf } from "./runs.ts";

/** The headers of a body in JSON. */
export const JSON_TYPE = { "content-type": "application/json" };
const BODY = '{"events":[{"eventType":"NOTE"}]}';

/** Requests that change an unclaimed run, without a credential. The last ends it. */
export function changesOn(runId: string): readonly Call[] {
  const path = pathOf(runId, "/events");
  const lines = { "content-type": "application/x-ndjson" };
  return [
    { method: "POST", path, headers: JSON_TYPE, body: BODY },
    { method: "POST", path, headers: { ...JSON_TYPE, "idempotency-key": "k" }, body: BODY },
    { method: "POST", path, headers: lines, body: '{"eventType":"NOTE"}\n' },
    {
      method: "POST",
      path: pathOf(runId, "/claim"),
      headers: JSON_TYPE,
      body: '{"leaseMs":60000}',
    },
    { method: "POST", path: pathOf(runId, "/input"), headers: JSON_TYPE, body: '{"payload":1}' },
    { method: "POST", path: pathOf(runId, "/cancel") },
  ];
}

/** Requests that change the lease with this fence, without a credential. The last ends it. */
export function leaseChangesOn(runId: string, fence: number): readonly Call[] {
  const call = { path: pathOf(runId, "/claim"), headers: JSON_TYPE };
  return [
    { ...call, method: "PUT", body: JSON.stringify({ fence, leaseMs: 60_000 }) },
    { ...call, method: "DELETE", body: JSON.stringify({ fence }) },
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
