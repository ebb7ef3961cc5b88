import { describe, expect, it } from "vitest";
import { bounds } from "@tm/run-events-core/wire";
import { OwnerShares } from "../src/routes/owner-shares.ts";

const { maxRequests } = bounds.IN_FLIGHT_LIMITS;
const REQUEST = new Request("http://localhost/");

/** A stream of events that does not end. */
function openStream(): { readonly response: Response; readonly cancelled: Promise<unknown> } {
  const cancelled = Promise.withResolvers<unknown>();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1)),
    cancel: cancelled.resolve,
  });
  const headers = { "content-type": "text/event-stream" };
  return { response: new Response(body, { headers }), cancelled: cancelled.promise };
}

/** The outcome of one more request of the user. */
async function askOnce(shares: OwnerShares, ownerId = "ada"): Promise<unknown> {
  const asked = shares.open(ownerId, REQUEST, async () => new Response("ok"));
  return asked.then(
    ({ status }) => status,
    (error: { readonly code?: unknown }) => error.code,
  );
}

describe("the shares of users", () => {
  it("W49: a user may have 1,024 requests under way, and other users have their own", async () => {
    const shares = new OwnerShares();
    const over = Promise.withResolvers<void>();
    const all = Array.from({ length: maxRequests }, async () =>
      shares.open("ada", REQUEST, async () => {
        await over.promise;
        return new Response("ok");
      }),
    );
    expect(await askOnce(shares)).toBe("too_many_requests");
    expect(await askOnce(shares, "bob")).toBe(200);
    over.resolve();
    await Promise.all(all);
    expect(await askOnce(shares)).toBe(200);
  });

  it("W49: a promise that a request keeps counts until it is settled, even if it fails", async () => {
    const shares = new OwnerShares();
    const kept = Promise.withResolvers<void>();
    const all = Array.from({ length: maxRequests }, async (_, at) => {
      const asked = shares.open("ada", REQUEST, async ({ keep }) => {
        keep(kept.promise);
        if (at % 2 === 0) throw new Error("no answer");
        return new Response("ok");
      });
      return asked.catch(() => {});
    });
    await Promise.all(all);
    expect(await askOnce(shares)).toBe("too_many_requests");
    kept.reject(new Error("the model failed"));
    await expect.poll(() => askOnce(shares)).toBe(200);
  });

  it("W49: a stream counts while it is read, and not if the host drops it unread", async () => {
    const shares = new OwnerShares();
    const open = async (): Promise<Response> =>
      shares.open("ada", REQUEST, async () => openStream().response);
    for (let at = 0; at < 2 * maxRequests; at += 1) await open();
    expect(await askOnce(shares)).toBe(200);
    const readers = await Promise.all(
      Array.from({ length: maxRequests }, async () => (await open()).body?.getReader()),
    );
    for (const reader of readers) expect((await reader?.read())?.done).toBe(false);
    expect(await askOnce(shares)).toBe("too_many_requests");
    await readers[0]?.cancel();
    expect(await askOnce(shares)).toBe(200);
    for (const reader of readers) await reader?.cancel();
  });

  it("a stream whose reader leaves is cancelled, even before its first read", async () => {
    for (const reads of [0, 1]) {
      const { response, cancelled } = openStream();
      const shares = new OwnerShares();
      const reader = (await shares.open("ada", REQUEST, async () => response)).body?.getReader();
      for (let at = 0; at < reads; at += 1) await reader?.read();
      await reader?.cancel("left");
      await cancelled;
    }
  });
});
