import type { RunEvent } from "@tm/run-events-core";
import { escapeJson } from "@tm/run-events-core/wire";
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import { encodeIndented } from "./encode-indented.ts";
import { formatCount, formatMoment } from "./format-time.ts";
import { splitJson } from "./split-json.ts";

/** A longer payload is not coloured, in characters: each coloured piece needs an element. */
const MOST_COLOURED = 20_000;
/** The most characters of a payload that are shown at first: laying out megabytes takes seconds. */
const MOST_SHOWN = 100_000;

/** An unfolded event: its time, and its payload as indented JSON. */
export function EventPayload({
  event,
  onHeight,
}: {
  readonly event: RunEvent;
  /** Called with the payload's height, in CSS pixels, before it is painted and after each change. */
  readonly onHeight: (sequence: number, height: number) => void;
}): ReactNode {
  const { sequence, createdAt, payload } = event;
  const box = useRef<HTMLDivElement>(null);
  const { json, isCut } = useMemo(() => {
    const indented = encodeIndented(payload);
    return { ...indented, json: indented.json.split("\n").map(escapeJson).join("\n") };
  }, [payload]);
  const [isWhole, setWhole] = useState(json.length <= MOST_SHOWN);
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const report = (): void => onHeight(sequence, current.getBoundingClientRect().height);
    report();
    const observer = new ResizeObserver(report);
    observer.observe(current);
    return () => observer.disconnect();
  }, [sequence, onHeight]);
  return (
    <div ref={box} className="payload">
      <p className="soft">
        Event {sequence} · <time dateTime={createdAt}>{formatMoment(createdAt)}</time>
      </p>
      {payload === null ? (
        <p className="soft">This event has no payload.</p>
      ) : (
        <pre tabIndex={0} role="group" aria-label={`Payload of event ${sequence}`}>
          {json.length > MOST_COLOURED ? (
            json.slice(0, isWhole ? json.length : MOST_SHOWN)
          ) : (
            <Coloured json={json} />
          )}
        </pre>
      )}
      {isCut && (
        <p className="cut soft">
          This payload is too deep or too long for this page. The server has all of it.
        </p>
      )}
      {!isWhole && (
        <p className="cut soft">
          Only the beginning is shown.{" "}
          <button type="button" onClick={() => setWhole(true)}>
            Show all {formatCount(json.length)} characters
          </button>
        </p>
      )}
    </div>
  );
}

function Coloured({ json }: { readonly json: string }): ReactNode {
  return splitJson(json).map(({ kind, text }, index) =>
    kind === "rest" ? (
      text
    ) : (
      // oxlint-disable-next-line react/no-array-index-key -- the pieces of one text never change places
      <span key={index} className={`json-${kind}`}>
        {text}
      </span>
    ),
  );
}
