import { isRunId, isTopic } from "@tm/run-events-core/wire";
import { FEED_RUN } from "../http/feed-calls.ts";
import { type Check, fits, isCount, isText, isTextIfAny, type Shape } from "../http/fits.ts";
import { EVENT } from "../http/run-calls.ts";
import type { Message } from "./tab-messages.ts";

function hasShape(shape: Shape): Check {
  return (value) => fits(value, shape);
}

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

function isListOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** No tab has an empty name: a hub calls its own tab so. */
const isTab: Check = (value) => value !== "" && isText(value);
const isBoolean: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => typeof value === "number";
const isPlace = hasShape({ since: isCount, at: isTextIfAny });
const isPlaces: Check = (value) =>
  value instanceof Map && [...value].every(([runId, place]) => isRunId(runId) && isPlace(place));
const isFeedWant = hasShape({ topic: orNull(isTopic), last: isBoolean });
const isFeedPlace = hasShape({ hub: isText, number: isCount });
const isChanges = hasShape({
  runs: isListOf(hasShape({ run: hasShape(FEED_RUN) })),
  gone: isListOf(isText),
});
const NEWS: Shape = {
  from: isCount,
  error: orNull(hasShape({ code: isText, message: isText })),
  silentMs: isNumber,
};

const SHAPES = new Map<unknown, Shape>(
  Object.entries({
    who: {},
    apart: { runId: isTextIfAny },
    want: {
      tab: isTab,
      ask: isCount,
      runs: isPlaces,
      feed: orNull(hasShape({ wants: isListOf(isFeedWant), place: isFeedPlace })),
    },
    answer: { tab: isTab, ask: isCount, silentMs: isNumber },
    run: {
      ...NEWS,
      runId: isText,
      events: isListOf(hasShape(EVENT)),
      fromAt: isTextIfAny,
      at: isTextIfAny,
      start: isCount,
      connection: hasShape({ state: isText, cursor: isCount }),
    },
    feed: {
      ...NEWS,
      feed: isFeedWant,
      place: isFeedPlace,
      changes: orNull(isChanges),
      connection: isText,
    },
  } satisfies Record<Message["type"], Shape>),
);

/** Whether this is a message of a tab. All code of the origin may send on the channel, also what no tab sends. */
export function isMessage(data: unknown): data is Message {
  const shape = SHAPES.get((Object(data) as { readonly type?: unknown }).type);
  return shape !== undefined && fits(data, shape);
}
