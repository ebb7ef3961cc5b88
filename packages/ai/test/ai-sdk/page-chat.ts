import { AbstractChat, type ChatState, DefaultChatTransport, type UIMessage } from "ai";

/** What `useChat` keeps, without React. */
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

/** The chat of a page: that of the AI SDK with its own transport. */
export class PageChat extends AbstractChat<UIMessage> {
  /**
   * @param handle the routes of a server
   * @param messages those with which the page begins
   */
  constructor(
    chatId: string,
    handle: (request: Request) => Promise<Response>,
    messages: readonly UIMessage[] = [],
  ) {
    super({
      id: chatId,
      state: new PageState(messages),
      transport: new DefaultChatTransport({
        api: "http://localhost/api/chat",
        fetch: async (url, init) => handle(new Request(url, init)),
      }),
    });
  }

  /** The text of the last message. */
  get text(): string {
    return textOf(this.lastMessage);
  }
}

/** The text of a message. */
export function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}
