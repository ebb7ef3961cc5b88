import type { RunEvent } from "@tm/run-events-core";
import { utf8Bytes } from "@tm/run-events-core/store";
import { checkDepth, sealDraft } from "@tm/run-events-core/wire";
import type { RESERVED_TYPES } from "@tm/run-events-core/wire";
import { splitText } from "./split-text.ts";

/** The type of an event that has a part of a value's JSON text. A value larger than a payload is split into such events. */
const PART: (typeof RESERVED_TYPES)[number] = "UI_PART";

/** More bytes than an event of `PART` has without its text. */
const PART_BYTES = 160;

/** The payload of an event of `PART`. */
interface Part {
  readonly eventType: string;
  readonly text: string;
  /** The number of the part, from 0. */
  readonly index: number;
  readonly isLast: boolean;
}

/**
 * The events of a value: one, unless it is larger than a payload.
 * @throws RunEventsError `invalid_event` for what is no JSON, or is nested too deep: the parts alone would not show that
 */
export function encodeEvents(
  eventType: string,
  value: unknown,
  maxPayloadBytes: number,
): readonly ReturnType<typeof sealDraft>[] {
  const whole = sealDraft({ eventType, payload: value });
  checkDepth(whole);
  if (utf8Bytes(whole.payload.text) <= maxPayloadBytes) return [whole];
  const texts = splitText(whole.payload.text, maxPayloadBytes - PART_BYTES);
  return texts.map((text, index) => {
    const payload: Part = { eventType, text, index, isLast: index === texts.length - 1 };
    return sealDraft({ eventType: PART, payload });
  });
}

/** Whether a log takes the value, however large it is. */
export function isFlatJson(value: unknown): boolean {
  try {
    checkDepth(sealDraft({ eventType: PART, payload: value }));
    return true;
  } catch {
    return false;
  }
}

/** Whether the event is the last one of a value. */
export function endsValue({ eventType, payload }: ReturnType<typeof sealDraft>): boolean {
  return eventType !== PART || (JSON.parse(payload.text) as Part).isLast;
}

/**
 * Joins the parts of what is larger than a payload. A value whose first part it has not read is left out, and so is one whose last part was
 * never appended. Events of other programs that only look like parts are left out, too.
 */
export class PartJoiner {
  #texts: string[] = [];

  /** The event as it was before it was split, with the sequence of the last part; `null` for any other part. */
  join(event: RunEvent): RunEvent | null {
    if (event.eventType !== PART) return event;
    try {
      const { eventType, text, index, isLast } = event.payload as Part;
      if (index === 0) this.#texts = [];
      this.#texts.push(text);
      if (isLast && index === this.#texts.length - 1)
        return { ...event, eventType, payload: JSON.parse(this.#texts.join("")) as unknown };
    } catch {
      // Another program has written it.
    }
    return null;
  }
}
