import {
  askServer,
  type Call,
  CALL_PATIENCE_MS,
  type Check,
  isText,
} from "@tm/run-events-client/calls";
import type { ServerOptions } from "@tm/run-events-client";
import type { UIMessage } from "ai";

/** A chat as the server has it. */
export interface ReadChat {
  readonly messages: UIMessage[];
  readonly active: { readonly runId: string } | null;
}

const NEVER = new AbortController().signal;
const isFlag: Check = (value) => typeof value === "boolean";
const isTextOrNull: Check = (value) => value === null || isText(value);

/** The routes of chats, as a page asks them. */
export class ChatCalls {
  readonly #options: ServerOptions;
  readonly #api: string;

  constructor(options: ServerOptions, api: string) {
    this.#options = options;
    this.#api = api;
  }

  /** Sends a question, which lands once, even if it is sent several times. @returns the run of its answer */
  async send(body: object, headers: Readonly<Record<string, string>>): Promise<string> {
    const { runId } = await this.#ask<{ readonly runId: string }>({
      path: this.#api,
      method: "POST",
      headers: {
        ...headers,
        accept: "application/json",
        "content-type": "application/json",
        "idempotency-key": createKey(),
      },
      body: JSON.stringify(body),
      answer: { runId: isText },
    });
    return runId;
  }

  /** Finds the answer that is being made; `null` if none is. The server ends an answer whose process has died. */
  async active(chatId: string, signal: AbortSignal = NEVER): Promise<string | null> {
    const headers = { accept: "application/json" };
    const call = { path: this.#path(chatId, "/stream"), headers, answer: { runId: isTextOrNull } };
    return (await this.#ask<{ readonly runId: string | null }>(call, signal)).runId;
  }

  /** Stops the answer that is being made. @returns whether there was one */
  async stop(chatId: string): Promise<boolean> {
    const path = this.#path(chatId, "/stop");
    const call = { path, method: "POST", answer: { stopped: isFlag } } as const;
    return (await this.#ask<{ readonly stopped: boolean }>(call)).stopped;
  }

  /** Reads all messages. It tries until the server answers. */
  async read(chatId: string, signal: AbortSignal): Promise<ReadChat> {
    const call = { path: this.#path(chatId), answer: { messages: Array.isArray } };
    return askServer(this.#options, call, { signal });
  }

  #path(chatId: string, call = ""): string {
    return `${this.#api}/${encodeURIComponent(chatId)}${call}`;
  }

  async #ask<T>(call: Call, signal = NEVER): Promise<T> {
    return askServer<T>(this.#options, call, { signal, patienceMs: CALL_PATIENCE_MS });
  }
}

/** `crypto.randomUUID` is missing in pages over plain http. */
function createKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
