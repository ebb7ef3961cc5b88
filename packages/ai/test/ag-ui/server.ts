import type { AgentSubscriber, BaseEvent, Message } from "@ag-ui/client";
import type { RunEvents } from "@tm/run-events-core";
import { createThreads, type Threads, type ThreadsOptions } from "../../src/ag-ui.ts";
import { RunEventsAgent, type RunEventsAgentConfig } from "../../src/ag-ui-page.ts";
import { createWrittenAgent, type WrittenAgent } from "./written-agent.ts";

/** A server of an agent, with its own connection to the store. */
export interface TestServer {
  readonly runs: RunEvents;
  readonly threads: Threads;
  readonly agent: WrittenAgent;
  readonly handle: (request: Request) => Promise<Response>;
  /** Opens a page of a thread. Without another `fetch` it asks this server, without a network. */
  readonly openPage: (threadId: string, config?: Partial<RunEventsAgentConfig>) => TestPage;
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Response>;
}

/** An agent of a page, and the events that its subscribers got. */
export interface TestPage {
  readonly agent: RunEventsAgent;
  readonly events: BaseEvent[];
  /** Says something to the agent. */
  readonly send: (content: string) => ReturnType<RunEventsAgent["runAgent"]>;
}

/** Makes a server. Its user is `ada`, or the one whom the header `user` names. An empty header is a missing credential. */
export function createServer(runs: RunEvents, options: Partial<ThreadsOptions> = {}): TestServer {
  const threads = createThreads({ runs, leaseMs: 2_000, ...options });
  const agent = createWrittenAgent();
  const handle = threads.routes({
    authenticate: (request) => (request.headers.get("user") ?? "ada") || null,
    agent: agent.run,
  });
  const url = "http://localhost/api/agent";
  return {
    runs,
    threads,
    agent,
    handle,
    openPage: (threadId, config = {}) =>
      openPage({
        url,
        threadId,
        fetch: async (to, init) => handle(new Request(to, init)),
        ...config,
      }),
    ask: (method, path, body) =>
      handle(
        new Request(`${url}${path}`, {
          method,
          ...(body !== undefined && {
            body: JSON.stringify(body),
            headers: { "content-type": "application/json" },
          }),
        }),
      ),
  };
}

/** Opens a page that asks any server. */
export function openPage(config: RunEventsAgentConfig): TestPage {
  const agent = new RunEventsAgent(config);
  const events: BaseEvent[] = [];
  const note: AgentSubscriber = { onEvent: ({ event }) => void events.push(event) };
  agent.subscribe(note);
  return {
    agent,
    events,
    send(content) {
      agent.addMessage({ id: crypto.randomUUID(), role: "user", content });
      return agent.runAgent();
    },
  };
}

/** The texts of messages, in order. */
export function textsOf(messages: readonly Message[]): readonly unknown[] {
  return messages.map(({ content }) => content);
}
