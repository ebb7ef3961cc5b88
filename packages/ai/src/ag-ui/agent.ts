import {
  enforceOutgoingInput,
  HttpAgent,
  type HttpAgentConfig,
  type RunAgentInput,
  runHttpRequest,
  transformHttpEventStream,
} from "@ag-ui/client";
import { type HealedStreamOptions, openHealed } from "../streams/open-healed.ts";

/** Settings of {@link RunEventsAgent}. */
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
type Connect = HttpAgent["connectAgent"];
/** The part of a thread that a page has, and the place after it. */
type Kept = Pick<RunEventsAgent, "since" | "messages" | "state">;

/**
 * An agent whose runs outlive the page. `connectAgent` replays the thread and follows its run. `abortRun` stops that run in any process.
 * After a lost connection the agent reconnects: subscribers get each event once.
 *
 * @example
 * const agent = new RunEventsAgent({ url: "/api/agent", threadId: "tea" });
 * await agent.connectAgent();
 */
export class RunEventsAgent extends HttpAgent {
  /** The place after the last run that this page has whole. Keep it with the messages and the state, and give it to the next page. */
  since: string | undefined;
  private left: AbortController | undefined;
  /** The state of the page before a run of which it has a part. */
  private before: Kept | undefined;
  /** The response with which the next connection begins. */
  private opened: Response | undefined;

  constructor({ since, ...config }: RunEventsAgentConfig) {
    super(config);
    this.since = since;
  }

  override run(input: RunAgentInput): Events {
    return this.follow(input, () => this.requestInit(enforceOutgoingInput(input)));
  }

  /** Replays what the page lacks. What it has in part is replaced, and so is what the server does not have any more. */
  override async connectAgent(...args: Parameters<Connect>): ReturnType<Connect> {
    if (this.before !== undefined) this.keep(this.before);
    this.before = undefined;
    this.opened = await this.open(this.prepareRunAgentInput(args[0]));
    const { pendingInterrupts } = this;
    // The thread asks again what is still open. An agent with a question would refuse to connect.
    this.pendingInterrupts = [];
    try {
      return await super.connectAgent(...args);
    } catch (error) {
      this.pendingInterrupts = pendingInterrupts;
      throw error;
    } finally {
      this.opened?.body?.cancel().catch(() => {});
      this.opened = undefined;
    }
  }

  protected override connect(input: RunAgentInput): Events {
    // `runAgent` has a controller for each run.
    if (this.abortController.signal.aborted) this.abortController = new AbortController();
    return this.follow(input, null);
  }

  /** Stops the run at the server: its events then end with the outcome `cancelled`. If that fails, it only closes the connection. */
  override abortRun(): void {
    const input = this.prepareRunAgentInput();
    const { pendingInterrupts } = this;
    this.fetch(`${this.threadUrl(input)}/stop`, { ...this.bare(input), method: "POST" })
      .then(({ ok, status }) => {
        if (!ok) throw new Error(`Expected HTTP 2xx for a stop, got ${status}.`);
        // Nothing waits for an answer any more.
        if (this.pendingInterrupts === pendingInterrupts) this.pendingInterrupts = [];
      })
      .catch(() => super.abortRun());
  }

  override clone(): RunEventsAgent {
    const cloned = super.clone() as RunEventsAgent;
    cloned.since = this.since;
    cloned.before = this.before;
    return cloned;
  }

  /** Closes the connection. The run goes on. */
  override async detachActiveRun(): Promise<void> {
    await super.detachActiveRun();
    this.left?.abort();
  }

  /** @param begin makes the request that begins the run; `null` to read the thread */
  private follow(input: RunAgentInput, begin: (() => RequestInit) | null): Events {
    const { since: had = null, abortController, messages, state } = this;
    const kept = { since: this.since, messages, state };
    this.left = new AbortController();
    const options: HealedStreamOptions = {
      signal: AbortSignal.any([abortController.signal, this.left.signal]),
      ask: async (since, signal) => {
        if (since === null && begin !== null) return this.fetch(this.url, { ...begin(), signal });
        const { opened } = this;
        this.opened = undefined;
        return opened ?? this.askThread(input, since ?? had, signal);
      },
      onEvent: (data, place) => {
        this.before ??= kept;
        if (isEnd(data)) this.since = place;
      },
      onEnd: () => {
        // A run does not bring what the page lacks of an earlier one.
        if (this.before === kept) this.before = undefined;
      },
    };
    const events = runHttpRequest(() => openHealed(options));
    return transformHttpEventStream(events, this.debugLogger);
  }

  /** Opens the thread at the place that the page has kept; `undefined` if it has none, or no server answers. */
  private async open(input: RunAgentInput): Promise<Response | undefined> {
    if (this.since === undefined) return undefined;
    const kept = await this.askThread(input, this.since).catch(() => undefined);
    if (kept?.status !== 404) return kept;
    // A run was removed, or a backup restored. If the thread is there, the page begins again.
    const whole = await this.askThread(input, null).catch(() => undefined);
    if (whole?.ok !== true) return kept;
    this.keep({ since: undefined, messages: [], state: {} });
    return whole;
  }

  private keep({ since, messages, state }: Kept): void {
    this.since = since;
    this.setMessages(messages);
    this.setState(state);
  }

  private askThread(
    input: RunAgentInput,
    since: string | null,
    signal?: AbortSignal,
  ): Promise<Response> {
    const query = since === null ? "" : `?since=${encodeURIComponent(since)}`;
    const init = { ...this.bare(input), ...(signal && { signal }) };
    return this.fetch(`${this.threadUrl(input)}/stream${query}`, init);
  }

  /** The settings of a request without a body. */
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
