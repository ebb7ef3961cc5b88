import { fetchEventSource } from "@microsoft/fetch-event-source";
import { createDelivery, type StreamClient } from "../stream-client.ts";

// The two globals of a page that it uses, hidden or not.
Object.assign(globalThis, {
  window: { fetch, setTimeout, clearTimeout },
  document: new EventTarget(),
});

class Refused extends Error {}

/** The npm package `@microsoft/fetch-event-source`, its three callbacks as its README has them. */
export const fetchEventSourceClient: StreamClient = {
  name: "@microsoft/fetch-event-source",
  takesIdEarly: true,
  follow({ url, cookie }, leaves) {
    const controller = new AbortController();
    const { following, deliver, end } = createDelivery(leaves, () => controller.abort());
    fetchEventSource(url, {
      headers: { cookie },
      signal: controller.signal,
      openWhenHidden: true,
      async onopen({ status }) {
        if (status !== 200) throw new Refused();
      },
      onmessage: ({ data }) => deliver(data),
      onclose() {
        throw new Error("The answer ended, and the user has not left: come back.");
      },
      onerror(error) {
        if (error instanceof Refused) throw error;
      },
    }).catch(() => end("refused"));
    return following;
  },
};
