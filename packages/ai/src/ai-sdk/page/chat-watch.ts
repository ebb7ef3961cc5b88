import { isTerminal, type RunEventsError } from "@tm/run-events-core";
import type { RunsView, Store } from "@tm/run-events-client/store";
import type { UIMessage } from "ai";
import type { AnswerRun } from "../fold-answer.ts";
import type { ReadChat } from "./chat-calls.ts";
import type { PageChat } from "./page-chat.ts";

/** The part of a chat that a watch needs: what `useChat` returns has it. */
export interface WatchedChat<Message extends UIMessage> {
  readonly id: string;
  /** The messages with which the page begins. */
  readonly messages: readonly Message[];
  readonly setMessages: (messages: Message[]) => void;
  readonly resumeStream: () => Promise<void>;
}

/** The state of a chat's connection. */
export interface ChatStanding {
  /** Whether the page waits for a server that does not answer. It then goes on. */
  readonly isWaiting: boolean;
  /** The error of the last attempt, or the one that has ended the reading for good; `null` without either. */
  readonly error: RunEventsError | null;
}

/**
 * Keeps a page's chat equal to that of the server. Turns of other tabs appear, and turns that the page missed.
 *
 * | it             | until                                         | then                                        |
 * | -------------- | --------------------------------------------- | ------------------------------------------- |
 * | watches        | the chat has a new run that it does not show  | reads the messages, unless the page is busy |
 * | reads messages | they have come                                | shows them, and the answer that is live     |
 */
export class ChatWatch<Message extends UIMessage> implements Store<ChatStanding> {
  readonly #watched: WatchedChat<Message>;
  readonly #chat: PageChat;
  readonly #runs: Store<RunsView>;
  readonly #read: (chatId: string, signal: AbortSignal) => Promise<ReadChat>;
  readonly #listeners = new Set<{ readonly call: () => void }>();
  /** The runs whose answers the page has shown since it last read the messages. */
  #shown = new Set<string>();
  /** Runs up to which the page has all: those of the messages that it last read. */
  #whole: ReadonlySet<string>;
  #standing: ChatStanding = { isWaiting: false, error: null };
  #isReading = false;
  /** Whether the answer being shown continues a message. It has only the new parts, so the messages are read again at its end. */
  #isPartial = false;
  #left = new AbortController();

  constructor(
    watched: WatchedChat<Message>,
    chat: PageChat,
    runs: Store<RunsView>,
    read: (chatId: string, signal: AbortSignal) => Promise<ReadChat>,
  ) {
    this.#watched = watched;
    this.#chat = chat;
    this.#runs = runs;
    this.#read = read;
    this.#whole = new Set(endedRuns(watched.messages));
  }

  readonly getSnapshot = (): ChatStanding => this.#standing;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = { call: listener };
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#left.abort();
    };
  };

  #begin(): void {
    this.#left = new AbortController();
    const leave = [
      this.#chat.watch({
        onShown: (runId) => this.#shown.add(runId),
        onIdle: () => this.#check(),
      }),
      this.#runs.subscribe(() => this.#take()),
    ];
    this.#left.signal.addEventListener("abort", () => leave.forEach((end) => end()));
    this.#take();
  }

  #take(): void {
    const { state, error } = this.#runs.getSnapshot();
    if (error !== this.#standing.error) {
      this.#standing = { isWaiting: error !== null && state !== "failed", error };
      for (const { call } of this.#listeners) call();
    }
    this.#check();
  }

  #check(): void {
    const { runs, isLoading } = this.#runs.getSnapshot();
    if (isLoading || this.#chat.isBusy || this.#isReading) return;
    const end = runs.findIndex(({ runId }) => this.#whole.has(runId));
    // A run without an event lacks even its question.
    const newer = runs
      .slice(0, end === -1 ? undefined : end)
      .filter(({ lastSequence }) => lastSequence > 0);
    if (!this.#isPartial && newer.every(({ runId }) => this.#shown.has(runId))) return;
    void this.#readAgain(newer.slice(0, 1).map(({ runId }) => runId));
  }

  /** @param newest what is read has all up to this run */
  async #readAgain(newest: readonly string[]): Promise<void> {
    const { signal } = this.#left;
    const { id, setMessages, resumeStream } = this.#watched;
    this.#isReading = true;
    this.#isPartial = false;
    try {
      const { messages, active } = await this.#read(id, signal);
      // A question of this page has come between: what was read may lack it.
      if (signal.aborted || this.#chat.isBusy) return;
      this.#whole = new Set([...newest, ...endedRuns(messages)]);
      this.#shown = new Set();
      setMessages(messages as Message[]);
      if (active === null) return;
      const last = messages.at(-1);
      this.#isPartial = last?.role === "assistant" && last.id !== active.runId;
      this.#chat.next = active.runId;
      void resumeStream();
    } catch {
      // The page has left the chat, or the server refuses it for good: then the list of runs has the error as well.
      if (!signal.aborted) this.#whole = new Set([...this.#whole, ...newest]);
    } finally {
      this.#isReading = false;
      if (this.#listeners.size > 0) this.#check();
    }
  }
}

/** The runs of these messages that have ended. One that is still being made has more to show. */
function endedRuns(messages: readonly UIMessage[]): readonly string[] {
  return messages.flatMap(({ metadata }) => {
    const { run } = (metadata ?? {}) as { readonly run?: AnswerRun };
    return run !== undefined && isTerminal(run.runStatus) ? [run.runId] : [];
  });
}
