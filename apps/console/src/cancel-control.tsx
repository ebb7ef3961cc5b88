import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { CancelDialog } from "./cancel-dialog.tsx";

/** A button that cancels a live run. It is removed when the run ends. */
export function CancelControl({
  runId,
  title,
  onRemoved,
}: {
  readonly runId: string;
  readonly title: string;
  /** Called when the control is removed while it has the focus. */
  readonly onRemoved: () => void;
}): ReactNode {
  const [isAsking, setAsking] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = box;
    return () => {
      // The dialog is still in the page here and has the focus, even while its disabled button has lost it.
      const hadFocus =
        current?.contains(document.activeElement) === true ||
        current?.querySelector("dialog") != null;
      if (hadFocus) queueMicrotask(onRemoved);
    };
  }, [onRemoved]);
  return (
    <div ref={box} className="cancel">
      <button type="button" onClick={() => setAsking(true)}>
        Cancel run
      </button>
      {isAsking && <CancelDialog runId={runId} title={title} onClose={() => setAsking(false)} />}
    </div>
  );
}
