import type { StreamClient } from "../stream-client.ts";
import { curl } from "./curl.ts";
import { eventSource } from "./eventsource.ts";
import { eventSourceClient } from "./eventsource-client.ts";
import { fetchEventSourceClient } from "./fetch-event-source.ts";
import { undiciEventSource } from "./undici.ts";

/** The clients that users have, as published. */
export const EVERY_CLIENT: readonly StreamClient[] = [
  eventSource,
  eventSourceClient,
  fetchEventSourceClient,
  undiciEventSource,
  curl,
];
