import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { CancelDialog } from "./cancel-dialog.tsx";

/** Cancels a run that goes on. It goes with the run's end, whoever ended it. */
export function CancelControl({
  runId,
  title,
  onGone,
}: {
  readonly runId: string;
  readonly title: string;
  /** It has gone, and the focus with it. */
  readonly onGone: () => void;
}): ReactNode {
  const [isAsking, setAsking] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = box;
    return () => {
      // The dialog is still there, and keeps the focus until it is not: also where the button that had it may not be
      // pressed again, since the cancel is under way.
      const hadFocus =
        current?.contains(document.activeElement) === true ||
        current?.querySelector("dialog") != null;
      if (hadFocus) queueMicrotask(onGone);
    };
  }, [onGone]);
  return (
    <div ref={box} className="cancel">
      <button type="button" onClick={() => setAsking(true)}>
        Cancel run
      </button>
      {isAsking && <CancelDialog runId={runId} title={title} onClose={() => setAsking(false)} />}
    </div>
  );
}
