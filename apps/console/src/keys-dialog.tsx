import type { ReactNode } from "react";
import { Modal } from "./modal.tsx";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["↓", "j"], "Next event or run"],
  [["↑", "k"], "Previous event or run"],
  [["Home", "End"], "First or last event or run"],
  [["←", "→"], "Move along phases or types"],
  [["Enter"], "Unfold an event, open a run"],
  [["/"], "Filter by type"],
  [["g"], "Go to a sequence"],
  [["f"], "Follow the newest event, or pause"],
  [["r"], "Go to the list of runs"],
  [["Esc"], "Leave the field, then the events"],
  [["?"], "Show these keys"],
];

/** A dialog that lists the keys. */
export function KeysDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Modal title="Keys" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className="choices">
        <button type="button" autoFocus onClick={onClose}>
          Close
        </button>
      </div>
    </Modal>
  );
}
