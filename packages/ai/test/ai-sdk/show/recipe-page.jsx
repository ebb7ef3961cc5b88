import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { chatId, render, View } from "./view.jsx";

// The page of the recipe: it sends the last message, resumes when it is loaded, and calls the route of a stop.
const transport = new DefaultChatTransport({
  prepareSendMessagesRequest: ({ id, messages }) => ({ body: { id, message: messages.at(-1) } }),
});

function Page({ messages, activeStreamId }) {
  const chat = useChat({ id: chatId, messages, resume: true, transport });
  const stop = () => {
    const last = chat.messages.at(-1);
    const assistantMessage = last?.role === "assistant" ? last : undefined;
    void fetch(`/api/chat/${chatId}/stop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ assistantMessage, activeStreamId }),
    });
    void chat.stop();
  };
  return <View {...chat} stop={stop} />;
}

// In place of a page that the server renders with the messages of the chat.
render(<Page {...await (await fetch(`/api/chat/${chatId}`)).json()} />);
