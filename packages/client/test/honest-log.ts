const TIME = "2026-01-31T08:00:00.000Z";
const PATH = "/v1/agent-runs";

interface Draft {
  readonly eventType: string;
  readonly payload?: unknown;
}

/** The log of a run, and the answers of a server that has this run under every id. The server gives each question its input at once. */
export class HonestLog {
  readonly #events: (Draft & { readonly sequence: number; readonly createdAt: string })[] = [];

  /** @param count how many events it has. The last of them ends the run */
  constructor(count: number) {
    for (let left = count; left > 0; left -= 1)
      this.#add({ eventType: left === 1 ? "RUN_COMPLETED" : "STEP" });
  }

  /** The JSON of an answer, or the frames of a stream; `null` for an answer without a body. */
  answer(method: string, url: URL, body: string): unknown {
    const path = url.pathname.slice(url.pathname.indexOf(PATH) + PATH.length);
    if (path === "/stream") return this.#frames(url.searchParams);
    if (path === "" && method === "POST") return { ...this.#snapshot(), fence: 1, expiresAt: TIME };
    if (path === "" && url.searchParams.has("feed")) return this.#list();
    if (path === "") return { runs: [this.#snapshot()], nextCursor: null };
    if (path.endsWith("/stream")) return this.#runFrames();
    if (method === "DELETE") return null;
    if (path.endsWith("/claim")) return { fence: 1, expiresAt: TIME };
    if (path.endsWith("/input")) return this.#append([{ eventType: "INPUT_RECEIVED" }]);
    if (!path.endsWith("/events")) return this.#snapshot();
    if (method !== "POST") return this.#page(url.searchParams);
    const { events } = JSON.parse(body) as { readonly events: readonly Draft[] };
    return this.#append(events);
  }

  #add({ eventType, payload = null }: Draft): void {
    const sequence = this.#events.length + 1;
    this.#events.push({ sequence, eventType, payload, createdAt: TIME });
  }

  #append(drafts: readonly Draft[]): object {
    const firstSequence = this.#events.length + 1;
    for (const draft of drafts) this.#add(draft);
    const lastSequence = this.#events.length;
    const isAsked = drafts.some(({ eventType }) => eventType === "INPUT_REQUESTED");
    const receipt = { ...this.#state(), firstSequence, lastSequence, replayed: false };
    if (isAsked) this.#add({ eventType: "INPUT_RECEIVED" });
    return receipt;
  }

  #state(): object {
    const isOver = this.#events.at(-1)?.eventType === "RUN_COMPLETED";
    const runStatus = isOver ? "completed" : "running";
    return { runStatus, currentPhase: null, lastSequence: this.#events.length };
  }

  #snapshot(): object {
    const times = { createdAt: TIME, updatedAt: TIME, finishedAt: null };
    const rest = { topic: null, lease: null, metadata: null };
    return { runId: "a", ownerId: "ada", ...this.#state(), ...times, ...rest };
  }

  #page(query: URLSearchParams): object {
    const tail = query.get("tail");
    const count = this.#events.length;
    const since = tail === null ? Number(query.get("since")) : Math.max(0, count - Number(tail));
    const events = this.#events.slice(since, since + Number(query.get("limit") ?? 500));
    return { ...this.#state(), events, since, hasMore: since + events.length < count };
  }

  #list(): object {
    const runs = [this.#snapshot()];
    const last = { a: this.#events[0] };
    return { runs, version: "v", more: false, last };
  }

  #frames(query: URLSearchParams): readonly object[] {
    const runIds = [...(query.get("runs") ?? "").matchAll(/(\w+):/g)].map(([, runId]) => runId);
    const runs = runIds.flatMap((runId) =>
      this.#runFrames().map((frame) => ({ ...frame, runId, since: 0 })),
    );
    const feed = [
      { type: "feed_started", same: false },
      { type: "run", run: this.#snapshot(), last: this.#events[0] },
      { type: "feed_version", version: "v", more: false },
    ];
    const isOver = { type: "stream_finished" };
    return [{ type: "stream_opened" }, ...runs, ...(query.has("feed") ? feed : [isOver])];
  }

  #runFrames(): readonly object[] {
    return [
      { type: "connected", ...this.#state(), runStatus: "running" },
      ...this.#events.map((event) => ({ type: "run_event", event })),
      { type: "run_finished", ...this.#state() },
    ];
  }
}
