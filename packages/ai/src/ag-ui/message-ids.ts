import type { EventDraft } from "@tm/run-events-core";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { listTopic, readLogs } from "../runs/topic-runs.ts";
import { eventsOf } from "./log-events.ts";

/** The ids of the messages that the runs of a thread have. */
export async function messageIdsOf(
  streams: StreamRuns,
  threadId: string,
): Promise<ReadonlySet<unknown>> {
  const ids = new Set<unknown>();
  for await (const { events } of readLogs(streams, await listTopic(streams, threadId))) {
    for (const id of events.flatMap(idsIn)) ids.add(id);
  }
  return ids;
}

/** Members that may name messages. Agents and inputs of others also make events that AG-UI does not know. */
interface Mentions {
  readonly messageId?: unknown;
  readonly messages?: unknown;
  readonly input?: unknown;
  readonly toolCallName?: unknown;
  readonly parentMessageId?: unknown;
  readonly toolCallId?: unknown;
}

/** The ids of the messages that an event makes or has. */
function idsIn(event: EventDraft): readonly unknown[] {
  return (eventsOf(event) as readonly Mentions[]).flatMap((members) => {
    const { messageId, messages, input, toolCallName, parentMessageId, toolCallId } = members;
    const { messages: asked } = Object(input) as Mentions;
    const ids = [messages, asked].filter(Array.isArray).flat().map(idOf);
    // A call of a tool is a message of its own, unless it belongs to one.
    return [messageId, ...ids, toolCallName && (parentMessageId ?? toolCallId)];
  });
}

function idOf(message: unknown): unknown {
  return (Object(message) as { readonly id?: unknown }).id;
}
