import { Agent, EventSource } from "undici";
import { createDelivery, type StreamClient } from "../stream-client.ts";

/** The `EventSource` of undici, which is Node's own; the cookie comes through its dispatcher. */
export const undiciEventSource: StreamClient = {
  name: "undici",
  takesIdEarly: false,
  follow({ url, cookie }, leaves) {
    const agent = new Agent();
    const dispatcher = agent.compose((dispatch) => (options, handler) => {
      const headers = { ...(options.headers as Record<string, string>), cookie };
      return dispatch({ ...options, headers }, handler);
    });
    const source = new EventSource(url, { node: { dispatcher } });
    const { following, deliver, end } = createDelivery(leaves, () => {
      source.close();
      void agent.destroy();
    });
    source.addEventListener("message", ({ data }) => deliver(data as string));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) end("refused");
    });
    return following;
  },
};
