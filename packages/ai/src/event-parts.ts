import type { EventDraft, RunEvent, RunEvents, WorkedRun } from "@tm/run-events-core";
import { isLonger } from "@tm/run-events-core/store";
import { checkDepth, sealDraft } from "@tm/run-events-core/wire";
import { insist } from "./insist.ts";
import { splitText } from "./split-text.ts";

/** The type of an event that has a part of a value's JSON text. A value larger than a payload is split into such events. */
const PART = "UI_PART";

/** More bytes than an event of `PART` has without its text. */
const PART_BYTES = 64;

/**
 * The events of a value: one, unless it is larger than a payload.
 * @throws RunEventsError `invalid_event` for what is no JSON, or is nested too deep: the parts alone would not show that
 */
export function encodeEvents(
  eventType: string,
  value: unknown,
  maxPayloadBytes: number,
): readonly EventDraft[] {
  const whole = sealDraft({ eventType, payload: value });
  checkDepth(whole);
  if (!isLonger(whole.payload.text, maxPayloadBytes)) return [whole];
  const texts = splitText(whole.payload.text, maxPayloadBytes - PART_BYTES);
  return texts.map((text, index) => ({
    eventType: PART,
    payload: { eventType, text, isLast: index === texts.length - 1 },
  }));
}

/** Appends a value, in several events if it is larger than a payload. While the store is unavailable, it tries again. */
export async function appendValue(
  run: WorkedRun,
  eventType: string,
  value: unknown,
  { maxPayloadBytes, maxBatchEvents }: RunEvents["log"]["limits"],
): Promise<void> {
  const drafts = encodeEvents(eventType, value, maxPayloadBytes);
  for (let at = 0; at < drafts.length; at += maxBatchEvents) {
    await insist(() => run.append(drafts.slice(at, at + maxBatchEvents)), run.signal);
  }
}

/** Joins the parts of what is larger than a payload. */
export class PartJoiner {
  #text = "";

  /** The event as it was before it was split; `null` for a part that is not the last. */
  join(event: RunEvent): EventDraft | null {
    if (event.eventType !== PART) return event;
    const { eventType, text, isLast } = event.payload as {
      readonly eventType: string;
      readonly text: string;
      readonly isLast: boolean;
    };
    this.#text += text;
    if (!isLast) return null;
    const payload: unknown = JSON.parse(this.#text);
    this.#text = "";
    return { eventType, payload };
  }
}
