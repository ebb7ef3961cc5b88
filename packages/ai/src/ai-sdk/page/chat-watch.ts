import { isTerminal, type RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { toError } from "@tm/run-events-client/calls";
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
  /** Whether the page waits for a server that does not answer. Once the server answers, the page goes on by itself. */
  readonly isWaiting: boolean;
  /** The error of the last attempt, or the one that has ended the reading for good; `null` without either. */
  readonly error: RunEventsError | null;
}

type ListedRun = RunsView["runs"][number];

/** Errors of a run that has lost what the page shows: its store was restored from a backup, or the run was removed. */
const LOST: ReadonlySet<RunEventsErrorCode | undefined> = new Set([
  "history_changed",
  "cursor_ahead",
  "not_found",
]);

/**
 * Keeps a page's chat equal to that of the server. Turns of other tabs appear, and turns that the page missed. Turns that the server has
 * lost disappear.
 *
 * | it             | until                                         | then                                        |
 * | -------------- | --------------------------------------------- | ------------------------------------------- |
 * | watches        | the chat has a new run that it does not show  | reads the messages, unless the page is busy |
 * | watches        | its newest run is gone, or has fewer events   | the same                                    |
 * | watches        | the page could not read an answer to its end  | the same, once for each run                 |
 * | watches        | an answer ends after a question has failed    | the same                                    |
 * | reads messages | they have come                                | shows them, and the answer that is live     |
 * | reads messages | the server refuses it                         | has failed: it shows the error              |
 * | has failed     | the server answers a call of the page         | watches, and reads the messages             |
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
  /** Whether the messages have to be read again when the page is not busy, even without a new run. */
  #isStale = false;
  /** The runs that the page could not read to their end. */
  #failed = new Set<string>();
  /** Whether the chat shows the error of such a run. */
  #showsError = false;
  /** Whether the list of runs has been asked for again since the server last answered: its failure may come late, after a new sign-in. */
  #isTriedAgain = false;
  /** Why the messages could not be read. */
  #refusal: RunEventsError | null = null;
  /** The newest run when it was last seen. */
  #newest: ListedRun | undefined;
  #leaveRuns = (): void => {};
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
    const leaveChat = this.#chat.watch({
      onShown: (runId) => this.#shown.add(runId),
      onFailed: (runId, error) => this.#onFailed(runId, error),
      onRevived: () => this.#revive(),
      onIdle: (hasShown) => {
        // Until then a question that has failed stays, so that it can be sent again.
        this.#isStale ||= hasShown && this.#chat.isCut;
        this.#check();
      },
    });
    this.#left.signal.addEventListener("abort", () => {
      leaveChat();
      this.#leaveRuns();
    });
    this.#follow();
  }

  #follow(): void {
    this.#leaveRuns();
    this.#leaveRuns = this.#runs.subscribe(() => this.#take());
    this.#take();
  }

  #take(): void {
    const { state, error: failure } = this.#runs.getSnapshot();
    if (state === "failed" && !this.#isTriedAgain) {
      this.#isTriedAgain = true;
      return this.#follow();
    }
    const error = this.#refusal ?? failure;
    if (error !== this.#standing.error) {
      const isOver = this.#refusal !== null || state === "failed";
      this.#standing = { isWaiting: error !== null && !isOver, error };
      for (const { call } of this.#listeners) call();
    }
    this.#check();
  }

  /** The second failure of a run is not read again, because a third one would follow. */
  #onFailed(runId: string, error: RunEventsError | null): boolean {
    if (this.#failed.has(runId)) return false;
    this.#failed.add(runId);
    this.#shown.delete(runId);
    this.#isStale = true;
    const isLost = LOST.has(error?.code);
    this.#showsError ||= !isLost;
    return isLost;
  }

  #revive(): void {
    this.#failed.clear();
    this.#refusal = null;
    this.#isTriedAgain = false;
    this.#take();
  }

  #check(): void {
    const { runs, isLoading } = this.#runs.getSnapshot();
    if (isLoading) return;
    this.#isStale ||= this.#newest !== undefined && hasLost(runs, this.#newest);
    this.#newest = runs[0];
    if (this.#chat.isBusy || this.#isReading || this.#refusal !== null) return;
    const end = runs.findIndex(({ runId }) => this.#whole.has(runId));
    // A run without an event lacks even its question.
    const newer = runs
      .slice(0, end === -1 ? undefined : end)
      .filter(({ lastSequence }) => lastSequence > 0);
    if (!this.#isStale && newer.every(({ runId }) => this.#shown.has(runId))) return;
    void this.#readAgain(newer.slice(0, 1).map(({ runId }) => runId));
  }

  /** @param newest what is read has all up to this run */
  async #readAgain(newest: readonly string[]): Promise<void> {
    const { signal } = this.#left;
    const { id, setMessages, resumeStream } = this.#watched;
    this.#isReading = true;
    this.#isStale = false;
    try {
      const { messages, active } = await this.#read(id, signal);
      // A question of this page has come between: what was read may lack it.
      if (signal.aborted || this.#chat.isBusy) return void (this.#isStale = true);
      this.#whole = new Set([...newest, ...endedRuns(messages)]);
      this.#shown = new Set();
      this.#chat.isCut = false;
      setMessages(messages as Message[]);
      const showsError = this.#showsError;
      this.#showsError = false;
      if (active === null && !showsError) return;
      const last = messages.at(-1);
      // An answer that continues a message shows only its new parts, up to its end.
      this.#isStale = active !== null && last?.role === "assistant" && last.id !== active.runId;
      // Without an answer this only removes the error.
      this.#chat.next = active?.runId ?? null;
      void resumeStream();
    } catch (error) {
      this.#isStale = true;
      if (signal.aborted) return;
      this.#refusal = toError(error);
      this.#take();
    } finally {
      this.#isReading = false;
      if (this.#listeners.size > 0) this.#check();
    }
  }
}

/** Whether a run is gone, or has lost events. */
function hasLost(runs: readonly ListedRun[], { runId, ...before }: ListedRun): boolean {
  const now = runs.find((run) => run.runId === runId);
  if (now === undefined || now.lastSequence < before.lastSequence) return true;
  return isTerminal(before.runStatus) && now.updatedAt !== before.updatedAt;
}

/** The runs of these messages that have ended. One that is still being made has more to show. */
function endedRuns(messages: readonly UIMessage[]): readonly string[] {
  return messages.flatMap(({ metadata }) => {
    const { run } = (metadata ?? {}) as { readonly run?: AnswerRun };
    return run !== undefined && isTerminal(run.runStatus) ? [run.runId] : [];
  });
}
