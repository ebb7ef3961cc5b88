import { EventSource } from "eventsource";
import { createDelivery, type StreamClient } from "../stream-client.ts";

/** The npm package `eventsource`: the browser's interface over `fetch`. */
export const eventSource: StreamClient = {
  name: "eventsource",
  takesIdEarly: false,
  follow({ url, cookie }, leaves) {
    const source = new EventSource(url, {
      fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, cookie } }),
    });
    const { following, deliver, end } = createDelivery(leaves, () => source.close());
    source.addEventListener("message", ({ data }) => deliver(data as string));
    source.addEventListener("error", () => {
      if (source.readyState === source.CLOSED) end("refused");
    });
    return following;
  },
};
