import type { Call, HeaderList } from "./call.ts";
import { type WireRun } from "./wire-run.ts";
import { JSON_TYPE, LINES_TYPE } from "./paths.ts";

const BODY = '{"events":[{"eventType":"NOTE"}]}';

/** Requests that change an unclaimed run, without a credential. The last ends it. */
export function changesOn(run: WireRun): readonly Call[] {
  const post = { method: "POST", headers: JSON_TYPE };
  const keyed = { ...JSON_TYPE, "idempotency-key": "k" };
  return [
    { ...post, path: run.at("/events"), body: BODY },
    { ...post, path: run.at("/events"), headers: keyed, body: BODY },
    { ...post, path: run.at("/events"), headers: LINES_TYPE, body: '{"eventType":"NOTE"}\n' },
    { ...post, path: run.at("/claim"), body: '{"leaseMs":60000}' },
    { ...post, path: run.at("/input"), body: '{"payload":1}' },
    { method: "POST", path: run.at("/cancel") },
  ];
}

/** Requests that change the lease with this fence, without a credential. The last ends it. */
export function leaseChangesOn(run: WireRun, fence: number): readonly Call[] {
  const call = { path: run.at("/claim"), headers: JSON_TYPE };
  return [
    { ...call, method: "PUT", body: JSON.stringify({ fence, leaseMs: 60_000 }) },
    { ...call, method: "DELETE", body: JSON.stringify({ fence }) },
  ];
}

/** Requests that read a run, without a credential. */
export function readsOn(run: WireRun): readonly Call[] {
  return [{ path: run.at() }, { path: run.at("/events") }];
}

/** The call with more headers. */
export function withHeaders(call: Call, headers: HeaderList): Call {
  return { ...call, headers: { ...call.headers, ...headers } };
}
