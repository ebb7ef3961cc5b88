import type { RunEvent } from "@tm/run-events-core";
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import { encodeIndented } from "./encode-indented.ts";
import { escapeUnseen } from "./escape-unseen.ts";
import { formatCount, formatMoment } from "./format-time.ts";
import { splitJson } from "./split-json.ts";

/** Up to this length a payload is coloured, in characters: an element a piece is too much for more. */
const MOST_COLOURED = 20_000;
/** So much of a payload is shown unless all of it is asked for, in characters: to lay out megabytes of lines takes seconds. */
const MOST_SHOWN = 100_000;

/** An event unfolded: when it was, and its payload as indented JSON. */
export function EventPayload({
  event,
  onHeight,
}: {
  readonly event: RunEvent;
  /** Told how high it is, in CSS pixels, before it is painted and whenever that changes. */
  readonly onHeight: (sequence: number, height: number) => void;
}): ReactNode {
  const { sequence, createdAt, payload } = event;
  const box = useRef<HTMLDivElement>(null);
  const { json, isCut } = useMemo(() => {
    const indented = encodeIndented(payload);
    return { ...indented, json: escapeUnseen(indented.json) };
  }, [payload]);
  const [isWhole, setWhole] = useState(json.length <= MOST_SHOWN);
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const tell = (): void => onHeight(sequence, current.getBoundingClientRect().height);
    tell();
    const observer = new ResizeObserver(tell);
    observer.observe(current);
    return () => observer.disconnect();
  }, [sequence, onHeight]);
  return (
    <div ref={box} className="payload">
      <p className="soft">
        Event {sequence} · <time dateTime={createdAt}>{formatMoment(createdAt)}</time>
      </p>
      {payload === null ? (
        <p className="soft">It has no payload.</p>
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
          It is too deep or too long for this page: what is missing is on the server.
        </p>
      )}
      {!isWhole && (
        <p className="cut soft">
          This is the beginning.{" "}
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
