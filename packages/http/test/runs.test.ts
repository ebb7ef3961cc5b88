import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { DOORS, openWorld } from "./harness/world.ts";

describe.each(DOORS)("%s", (door) => {
  it.for([
    "limit=0",
    "limit=201",
    "limit=-1",
    "limit=1.5",
    "limit=",
    "limit=01",
    "limit=1e1",
    "limit=1&limit=1",
    "status=done",
    "status=",
    "status=failed&status=failed",
    "cursor=",
    "cursor=x",
    "cursor=-1",
    "cursor=9007199254740993",
    "cursor=1&cursor=2",
    "wait=25",
    "last=banana",
  ])("W14: a list with %s is 400", async (query) => {
    await using world = await openWorld(door);
    const answer = await world.send({ path: `/v1/agent-runs?${query}`, headers: ADA });
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
  });
});
