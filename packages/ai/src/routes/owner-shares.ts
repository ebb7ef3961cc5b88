import { bounds } from "@tm/run-events-core/wire";
import { pulled } from "../streams/pulled.ts";
import { readJson } from "./read-json.ts";

/** A request's share of what its user may have in flight. */
export interface Share {
  /**
   * Reads the JSON that the request sends.
   * @throws RunEventsError `too_many_requests`, and as {@link readJson}
   */
  readonly readJson: () => Promise<unknown>;
  /** Counts the request and its body until the promise is settled, even after the answer, since the work may still hold the body. */
  readonly keep: (promise: Promise<unknown>) => void;
}

/**
 * Answers the requests of users within the bounds of the wire, so that one user's requests cannot take what others need. Streams that are
 * being
 * read count as requests.
 * @see clause W49 in `WIRE.md` of `@tm/run-events-http`
 */
export class OwnerShares {
  readonly #inFlights = new bounds.InFlights();

  /**
   * @throws RunEventsError `too_many_requests`, a quarter of a second later
   * @throws what `answer` throws
   */
  async open(
    ownerId: string,
    request: Request,
    answer: (share: Share) => Promise<Response>,
  ): Promise<Response> {
    const holding = this.#inFlights.open();
    const answered = Promise.withResolvers<void>();
    const kept: Promise<unknown>[] = [];
    const share: Share = {
      readJson: () => readJson(request, holding, answered.promise),
      keep: (promise) => void kept.push(promise),
    };
    try {
      return this.#counted(ownerId, await holding.enter(ownerId, () => answer(share)));
    } finally {
      answered.resolve();
      void Promise.allSettled(kept).then(() => holding.leave());
    }
  }

  /** The response. Its stream counts only from the first read on, since one that the host drops unread would count for ever. */
  #counted(ownerId: string, response: Response): Response {
    const { body, status, headers } = response;
    if (body === null || headers.get("content-type")?.startsWith("text/event-stream") !== true) {
      return response;
    }
    const reader = body.getReader();
    const counted = pulled((signal) => {
      signal.addEventListener("abort", () => void reader.cancel(signal.reason).catch(() => {}));
      return readCounted(ownerId, this.#inFlights.open(), reader);
    });
    return new Response(counted, { status, headers });
  }
}

async function* readCounted(
  ownerId: string,
  holding: bounds.Holding,
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  try {
    await holding.enter(ownerId, async () => {});
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    holding.leave();
    reader.cancel().catch(() => {});
  }
}
