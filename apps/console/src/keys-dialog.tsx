import type { ReactNode } from "react";
import { Modal } from "./modal.tsx";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["↓", "j"], "Next event or run"],
  [["↑", "k"], "Previous event or run"],
  [["Home", "End"], "First, last"],
  [["←", "→"], "Along phases and types"],
  [["Enter"], "Unfold an event, open a run"],
  [["/"], "Filter by type"],
  [["g"], "Go to a sequence"],
  [["f"], "Follow the newest, or pause"],
  [["r"], "To the list of runs"],
  [["Esc"], "Leave a field, then the events"],
  [["?"], "These keys"],
];

/** What the keys do. */
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
