import { type ReactNode, useState } from "react";
import { cancelRun } from "./api.ts";
import { Modal } from "./modal.tsx";
import { Problem } from "./problem.tsx";

/** Asks before it cancels a run, because a cancel cannot be undone. */
export function CancelDialog({
  runId,
  title,
  onClose,
}: {
  readonly runId: string;
  readonly title: string;
  readonly onClose: () => void;
}): ReactNode {
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);

  async function cancel(): Promise<void> {
    setSending(true);
    try {
      await cancelRun(runId);
      onClose();
    } catch (error) {
      setFailure(error);
      setSending(false);
    }
  }

  return (
    <Modal title="Cancel this run?" onClose={onClose}>
      <p className="named">{title}</p>
      <p>The run ends as cancelled. This cannot be undone. Its events stay.</p>
      <p className="problem" role="alert">
        {failure !== null && <Problem error={failure} />}
      </p>
      <div className="choices">
        <button type="button" autoFocus onClick={onClose}>
          Keep it running
        </button>
        <button type="button" className="danger" disabled={isSending} onClick={() => void cancel()}>
          Cancel run
        </button>
      </div>
    </Modal>
  );
}
