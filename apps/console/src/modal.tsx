import { type ReactNode, useLayoutEffect, useRef } from "react";

/** A dialog above the page, which keeps the focus until it is closed, and gives it back. */
export function Modal({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  /** It was closed, by whatever means. */
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // Closed while it is still in the page: else the focus is not given back.
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
