import { type ReactNode, useLayoutEffect, useRef } from "react";

/** A dialog above the page. It keeps the focus until it is closed, and then restores it. */
export function Modal({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  /** Called when the dialog is closed, in any way. */
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // The dialog is closed while it is still in the page. Otherwise the browser does not restore the focus.
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="modal-title" onCancel={onClose}>
      <h2 id="modal-title">{title}</h2>
      {children}
    </dialog>
  );
}
