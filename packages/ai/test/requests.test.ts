import { RunEventsError } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { parsePath, refused } from "../src/routes/refusals.ts";

it("a run that another worker has is refused with a problem, as any other conflict", async () => {
  const expiresAt = "2026-01-01T00:00:00.000Z";
  const error = new RunEventsError("claimed", "Another worker has the run.", {
    details: { expiresAt },
  });
  const response = refused(error);
  expect(response.status).toBe(409);
  expect(await response.json()).toEqual({
    status: 409,
    code: "claimed",
    detail: "Another worker has the run.",
    expiresAt,
  });
});

it("a path may end with a slash, since some hosts send pages to such paths", () => {
  for (const [path, id, call] of [
    ["", "", "send"],
    ["/a%2Fb", "a/b", "messages"],
    ["/a/stream", "a", "stream"],
    ["/a/stop", "a", "stop"],
  ] as const) {
    expect(parsePath(`/api/chat${path}`, "/api/chat")).toEqual([id, call]);
    expect(parsePath(`/api/chat${path}/`, "/api/chat")).toEqual([id, call]);
    expect(parsePath(`/api/chat${path}/`, "/api/chat/")).toEqual([id, call]);
    expect(parsePath(`/api/chat${path}//`, "/api/chat")).toEqual(["", ""]);
  }
});
