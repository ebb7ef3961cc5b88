import { describe, expect, it } from "vitest";
import { ADA_SESSION } from "./harness/accounts.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const APP = "https://app.example";
const FOREIGN = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

describe.each(DOORS)("%s", (door) => {
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

  it("W19: without a list no answer has CORS headers", async () => {
    await using world = await openWorld(door);
    const path = "/v1/agent-runs";
    const answer = await world.send({ path, headers: { ...ADA_SESSION, origin: APP } });
    const names = Object.keys(answer.headers);
    expect(names.filter((name) => name === "vary" || name.startsWith("access-control"))).toEqual(
      [],
    );
  });
});
