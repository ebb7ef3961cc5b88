import {
  AbstractChat,
  type ChatState,
  type ChatTransport,
  DefaultChatTransport,
  type UIMessage,
} from "ai";

/** The state that `useChat` keeps, without React. */
class PageState implements ChatState<UIMessage> {
  status: ChatState<UIMessage>["status"] = "ready";
  error: Error | undefined;
  messages: UIMessage[];

  constructor(messages: readonly UIMessage[]) {
    this.messages = [...messages];
  }

  pushMessage = (message: UIMessage): void => void this.messages.push(structuredClone(message));
  popMessage = (): void => void this.messages.pop();
  replaceMessage = (index: number, message: UIMessage): void =>
    void (this.messages[index] = structuredClone(message));
  snapshot = <T>(value: T): T => structuredClone(value);
}

/** The transport of the AI SDK itself, over these routes. */
export function defaultTransport(
  handle: (request: Request) => Promise<Response>,
): ChatTransport<UIMessage> {
  return new DefaultChatTransport({
    api: "http://localhost/api/chat",
    fetch: async (url, init) => handle(new Request(url, init)),
  });
}

/** The chat of a page: that of the AI SDK. */
export class PageChat extends AbstractChat<UIMessage> {
  /** Why each of its streams has ended. */
  readonly reasons: readonly unknown[];

  /** @param messages those with which the page begins */
  constructor(
    chatId: string,
    transport: ChatTransport<UIMessage>,
    messages: readonly UIMessage[] = [],
  ) {
    const reasons: unknown[] = [];
    const onFinish = ({ finishReason }: { readonly finishReason?: unknown }): void =>
      void reasons.push(finishReason);
    super({ id: chatId, state: new PageState(messages), transport, onFinish });
    this.reasons = reasons;
  }

  readonly setMessages = (messages: readonly UIMessage[]): void =>
    void (this.messages = [...messages]);

  /** The text of the last message. */
  get text(): string {
    return textOf(this.lastMessage);
  }
}

/** The text of a message. */
export function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}
