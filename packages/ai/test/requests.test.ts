import { RunEventsError } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { parsePath, readJson, refused } from "../src/requests.ts";

const JSON_TYPE = { "content-type": "application/json" };
const MEBIBYTE = new Uint8Array(1_048_576).fill(32);

/** A request with this body. */
function requestOf(body: BodyInit, headers: Readonly<Record<string, string>> = {}): Request {
  const init = { method: "POST", body, duplex: "half", headers: { ...JSON_TYPE, ...headers } };
  return new Request("http://localhost/", init);
}

it("a body that does not end is refused once it has more than 64 MiB, and is not read on", async () => {
  let pieces = 0;
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pieces += 1;
      controller.enqueue(MEBIBYTE);
    },
    cancel: () => cancelled.resolve(),
  });
  await expect(readJson(requestOf(body))).rejects.toMatchObject({ code: "payload_too_large" });
  await cancelled.promise;
  expect(pieces).toBeLessThan(70);
});

it("a body that says that it is too large is refused before it is read", async () => {
  const request = requestOf("{}", { "content-length": "67108865" });
  await expect(readJson(request)).rejects.toMatchObject({ code: "payload_too_large" });
});

it("the JSON of a body is read as it is, in any pieces, and not if it breaks off", async () => {
  const bytes = new TextEncoder().encode('{"text":"\u{1F600}"}');
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await readJson(requestOf(pieces))).toEqual({ text: "\u{1F600}" });
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error("lost")) });
  expect(await readJson(requestOf(broken))).toBeNull();
  expect(await readJson(requestOf("{"))).toBeNull();
  expect(await readJson(new Request("http://localhost/", { headers: JSON_TYPE }))).toBeNull();
});

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

it("a body that the host has read before is refused with what to do", async () => {
  const parsed = new Request("http://localhost/", {
    method: "POST",
    headers: { ...JSON_TYPE, "content-length": "2" },
  });
  const read = requestOf("{}");
  await read.text();
  const locked = requestOf("{}");
  locked.body?.getReader();
  for (const request of [parsed, read, locked])
    await expect(readJson(request)).rejects.toThrow("Mount the routes before body parsers.");
  // A request without a body is a mistake of the page.
  expect(await readJson(requestOf("", { "content-length": "0" }))).toBeNull();
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
