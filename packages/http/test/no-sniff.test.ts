import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import type { Call } from "./harness/answer.ts";
import { callsOf } from "./harness/calls.ts";
import { STILL } from "./harness/next-fence.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const ORIGIN = "https://app.example";

/** What no route answers. */
const OTHERS: readonly Call[] = [
  { path: "/" },
  { path: "/v1/agent-runs/%" },
  { path: "/v1/agent-runs", method: "PATCH", headers: ADA },
  {
    path: "/v1/agent-runs",
    method: "OPTIONS",
    headers: { origin: ORIGIN, "access-control-request-method": "POST" },
  },
  { path: "/v1/agent-runs", method: "HEAD", headers: ADA },
  { path: "/openapi.json", method: "HEAD" },
  { path: "/v1/errors/fenced", method: "HEAD" },
];

describe.each(DOORS)("%s", (door) => {
  it("W3: every answer has `X-Content-Type-Options: nosniff`, even problems, streams and answers without a body", async () => {
    await using world = await openWorld(door, { ...STILL, allowedOrigins: [ORIGIN] });
    const calls = [...(await callsOf(world)).map(([, call]) => call), ...OTHERS];
    const statuses = new Set<number>();
    for (const call of calls) {
      const { status, headers } = await world.send(call);
      const { method, path } = call;
      expect([method, path, status, headers["x-content-type-options"]]).toEqual([
        method,
        path,
        status,
        "nosniff",
      ]);
      statuses.add(status);
    }
    world.store.cut(new Error("gone"));
    const failed = await world.send({ path: "/v1/agent-runs", headers: ADA });
    expect([failed.status, failed.headers["x-content-type-options"]]).toEqual([500, "nosniff"]);
    const seen = [200, 201, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 422];
    expect([...statuses].toSorted((a, b) => a - b)).toEqual(seen);
  });
});
