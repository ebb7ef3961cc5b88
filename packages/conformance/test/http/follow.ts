import type { ReaderTarget } from "@tm/run-events-conformance/http";
import type { RunEvent } from "@tm/run-events-core";
import { createEventSource } from "eventsource-client";

type Message =
  | { readonly type: "connected" | "status" | "run_finished" }
  | { readonly type: "run_event"; readonly event: RunEvent }
  | { readonly type: "error"; readonly code: string; readonly retryable: boolean };

export async function* follow(target: ReaderTarget): AsyncGenerator<RunEvent, void, undefined> {
  const { baseUrl, basePath, runId, since, cookie, fetch, signal } = target;
  const url = `${baseUrl}${basePath}/${runId}/stream?since=${since}`;
  const source = createEventSource({ url, headers: { cookie }, fetch });
  signal.addEventListener("abort", () => source.close());
  for await (const { data } of source) {
    const message = JSON.parse(data) as Message;
    if (message.type === "run_event") yield message.event;
    if (message.type === "run_finished") return;
    if (message.type === "error" && !message.retryable) throw new Error(message.code);
  }
}
