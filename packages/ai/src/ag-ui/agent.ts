import {
  enforceOutgoingInput,
  HttpAgent,
  type HttpAgentConfig,
  type RunAgentInput,
  runHttpRequest,
  transformHttpEventStream,
} from "@ag-ui/client";
import { type HealedStreamOptions, openHealed } from "../placed-stream/open-healed.ts";

/** How an agent of a page finds its server. */
export interface RunEventsAgentConfig extends HttpAgentConfig {
  /** The path of `threads.routes`, such as `/api/agent`. */
  url: string;
  /**
   * The `since` of an earlier page that has kept its messages and its state.
   * @defaultValue none: the page has nothing of the thread yet
   */
  since?: string | undefined;
}

type Events = ReturnType<HttpAgent["run"]>;

/**
 * An agent whose runs outlive the page. `connectAgent` replays the thread and follows its run, and `abortRun` stops that run in any process.
 * A connection that breaks is healed: subscribers see each event once.
 *
 * @example
 * const agent = new RunEventsAgent({ url: "/api/agent", threadId: "tea" });
 * await agent.connectAgent();
 */
export class RunEventsAgent extends HttpAgent {
  /** After the last run that this page has whole. Keep it with the messages and the state: the next page then goes on from there. */
  since: string | undefined;
  private left: AbortController | undefined;

  constructor({ since, ...config }: RunEventsAgentConfig) {
    super(config);
    this.since = since;
  }

  override run(input: RunAgentInput): Events {
    return this.follow(input, () => this.requestInit(enforceOutgoingInput(input)));
  }

  protected override connect(input: RunAgentInput): Events {
    // `runAgent` has a controller for each run.
    if (this.abortController.signal.aborted) this.abortController = new AbortController();
    return this.follow(input, null);
  }

  /** Stops the run at the server; its events then end with the outcome `cancelled`. If no server answers, it closes the connection. */
  override abortRun(): void {
    const input = this.prepareRunAgentInput();
    this.fetch(`${this.threadUrl(input)}/stop`, { ...this.bare(input), method: "POST" })
      .then(({ ok, status }) => {
        if (!ok) throw new Error(`Expected the run to be stopped, got HTTP ${status}.`);
      })
      .catch(() => super.abortRun());
  }

  override clone(): RunEventsAgent {
    const cloned = super.clone() as RunEventsAgent;
    cloned.since = this.since;
    return cloned;
  }

  /** Leaves the run, which goes on, and closes the connection. */
  override async detachActiveRun(): Promise<void> {
    await super.detachActiveRun();
    this.left?.abort();
  }

  /** @param begin makes the request that begins the run; `null` to read the thread */
  private follow(input: RunAgentInput, begin: (() => RequestInit) | null): Events {
    const { since: had = null, abortController } = this;
    this.left = new AbortController();
    const options: HealedStreamOptions = {
      signal: AbortSignal.any([abortController.signal, this.left.signal]),
      ask: async (since, signal) => {
        if (since === null && begin !== null) return this.fetch(this.url, { ...begin(), signal });
        const place = since ?? had;
        const query = place === null ? "" : `?since=${encodeURIComponent(place)}`;
        return this.fetch(`${this.threadUrl(input)}/stream${query}`, {
          ...this.bare(input),
          signal,
        });
      },
      onEvent: (data, place) => {
        if (isEnd(data)) this.since = place;
      },
    };
    const events = runHttpRequest(() => openHealed(options));
    return transformHttpEventStream(events, this.debugLogger);
  }

  /** A request as all others are, without a body. */
  private bare(input: RunAgentInput): RequestInit {
    const { method: _method, body: _body, ...init } = this.requestInit(input);
    return init;
  }

  private threadUrl({ threadId }: RunAgentInput): string {
    return `${this.url}/${encodeURIComponent(threadId)}`;
  }
}

/** Whether the event ends a run. */
function isEnd(data: string): boolean {
  if (!/"type":"RUN_(FINISHED|ERROR)"/.test(data)) return false;
  const { type } = JSON.parse(data) as { readonly type: unknown };
  return type === "RUN_FINISHED" || type === "RUN_ERROR";
}
