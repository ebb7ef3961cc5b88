import { createEventSource } from "eventsource-client";
import { createDelivery, type StreamClient } from "../stream-client.ts";

/** The npm package `eventsource-client`. */
export const eventSourceClient: StreamClient = {
  name: "eventsource-client",
  takesIdEarly: false,
  follow({ url, cookie }, leaves) {
    const source = createEventSource({
      url,
      headers: { cookie },
      onMessage: ({ data }) => deliver(data),
      // After a 204 it says that it has disconnected and closes itself in the same turn.
      onDisconnect: () => queueMicrotask(() => source.readyState === "closed" && end("refused")),
    });
    const { following, deliver, end } = createDelivery(leaves, () => source.close());
    return following;
  },
};
