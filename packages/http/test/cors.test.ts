import { describe, expect, it } from "vitest";
import { ADA_SESSION } from "./harness/accounts.ts";
import { typesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const APP = "https://app.example";
const FOREIGN = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
const LISTED = { origin: APP, "sec-fetch-site": "cross-site" };

describe.each(DOORS)("%s", (door) => {
  it("W19: a page of an origin on the list may read the stream, by exact headers", async () => {
    await using world = await openWorld(door, { allowedOrigins: ["https://other.example", APP] });
    const stream = await world.tail(await world.record("RUN_COMPLETED"), "", LISTED);
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      vary: "Origin",
    });
    expect(typesOf(await stream.rest()).at(-1)).toBe("run_finished");
  });

  it("W19: a cross-site request is 403, with HEAD too, and opens nothing", async () => {
    await using world = await openWorld(door, { allowedOrigins: [APP] });
    const path = `/v1/agent-runs/${await world.record()}/stream`;
    for (const method of ["GET", "HEAD"]) {
      for (const from of [FOREIGN, { "sec-fetch-site": "same-site" }, { origin: "null" }]) {
        const answer = await world.send({ method, path, headers: { ...ADA_SESSION, ...from } });
        expect([method, answer.status]).toEqual([method, 403]);
        expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
        expect(answer.headers["vary"]).toBe("Origin");
      }
    }
    expect(world.stats().streams.opened).toBe(0);
  });

  it("W19: a page on the list may read refusals too", async () => {
    await using world = await openWorld(door, { allowedOrigins: [APP] });
    const calls = ["/v1/agent-runs/none/stream", "/v1/agent-runs/none", "/none"];
    for (const path of calls) {
      const answer = await world.send({ path, headers: { ...ADA_SESSION, ...LISTED } });
      expect(answer.status).toBe(404);
      expect(answer.headers["access-control-allow-origin"]).toBe(APP);
    }
    const anonymous = await world.send({ path: "/v1/agent-runs", headers: LISTED });
    expect([anonymous.status, anonymous.headers["access-control-allow-origin"]]).toEqual([
      401,
      APP,
    ]);
  });

  it("W19: without a list no answer has CORS headers", async () => {
    await using world = await openWorld(door);
    const path = "/v1/agent-runs";
    const answer = await world.send({ path, headers: { ...ADA_SESSION, origin: APP } });
    const names = Object.keys(answer.headers);
    expect(names.filter((name) => name === "vary" || name.startsWith("access-control"))).toEqual(
      [],
    );
  });

  it("W19: a preflight from the list is answered without a credential, any other is not", async () => {
    await using world = await openWorld(door, { allowedOrigins: [APP] });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const asked = { "access-control-request-method": "POST" };
    const preflight = await world.send({
      method: "OPTIONS",
      path,
      headers: { origin: APP, ...asked },
    });
    expect([preflight.status, preflight.text]).toEqual([204, ""]);
    expect(preflight.headers).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST",
      "access-control-allow-headers": expect.stringMatching(
        /Idempotency-Key.*Run-Fence/,
      ) as unknown,
      vary: "Origin",
    });
    for (const headers of [{ ...FOREIGN, ...asked }, { origin: APP }, asked]) {
      const other = await world.send({ method: "OPTIONS", path, headers });
      expect([headers, other.status]).toEqual([headers, 405]);
      expect(other.headers["access-control-allow-methods"]).toBeUndefined();
    }
    const nowhere = await world.send({
      method: "OPTIONS",
      path: "/none",
      headers: { origin: APP, ...asked },
    });
    expect(nowhere.status).toBe(404);
  });
});
