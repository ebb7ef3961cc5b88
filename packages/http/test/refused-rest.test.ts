import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createHandler, type Handler } from "../src/index.ts";
import { ADA } from "./harness/accounts.ts";

const PIECE = new TextEncoder().encode(" ".repeat(1_048_576));

/** A handler that takes bodies of two pieces. */
function open(): Handler {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const authenticate = (): { userId: string; credential: "bearer" } => ({
    userId: "ada",
    credential: "bearer",
  });
  return createHandler({ runs, authenticate, maxBodyBytes: 2 * PIECE.length });
}

/** A request whose body has so many pieces. */
function requestOf(
  pieces: number,
  onPiece: (count: number) => void = () => {},
): { readonly request: Request; readonly isOver: Promise<void> } {
  const over = Promise.withResolvers<void>();
  let count = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (count === pieces) {
          controller.close();
          return over.resolve();
        }
        onPiece((count += 1));
        controller.enqueue(PIECE);
      },
    },
    { highWaterMark: 0 },
  );
  const headers = { ...ADA, "content-type": "application/json" };
  const init = { method: "POST", headers, body, duplex: "half" };
  return { request: new Request("http://localhost/v1/agent-runs", init), isOver: over.promise };
}

it("W9: the rest of a refused body is read after the answer, so that the connection can be used again", async () => {
  const { request, isOver } = requestOf(5);
  expect((await open().fetch(request)).status).toBe(413);
  await isOver;
});

it("W9: of a refused body without an end, four megabytes more are read at most", async () => {
  let read = 0;
  const enough = Promise.withResolvers<void>();
  const { request } = requestOf(1_000, (count) => {
    read = count;
    if (count === 7) enough.resolve();
  });
  expect((await open().fetch(request)).status).toBe(413);
  await enough.promise;
  await expect.poll(() => request.body?.locked).toBe(false);
  expect(read).toBe(7);
});

it("W9: a host may read the rest of a refused body itself", async () => {
  const refused = Promise.withResolvers<void>();
  const { request, isOver } = requestOf(5, (count) => {
    if (count === 3) refused.resolve();
  });
  const answered = open().fetch(request);
  const { body } = request;
  await refused.promise;
  // The refusal comes some turns of promises after the body was left.
  while (body?.locked === true) await Promise.resolve();
  const reader = body?.getReader();
  expect((await answered).status).toBe(413);
  while ((await reader?.read())?.done === false);
  await isOver;
});
