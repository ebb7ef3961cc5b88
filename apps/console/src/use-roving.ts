import { type FocusEvent, type KeyboardEvent, type RefObject, useEffect, useRef } from "react";

/** The attributes and handlers that make a row of buttons one stop for Tab. */
export interface Roving<Row extends HTMLElement> {
  readonly ref: RefObject<Row | null>;
  readonly onFocus: (event: FocusEvent) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/**
 * Makes a row of buttons one stop for Tab: the button that had the focus last. Arrows, Home and End move through the row.
 * @param start which button is the stop at first, and again after the stop was removed
 * @see https://www.w3.org/WAI/ARIA/apg/practices/keyboard-interface/#kbd_roving_tabindex
 */
export function useRoving<Row extends HTMLElement>(start: "first" | "last"): Roving<Row> {
  const ref = useRef<Row>(null);
  const last = useRef<HTMLElement | null>(null);

  function setStop(stop: HTMLElement | undefined): void {
    for (const one of buttonsOf(ref.current)) one.tabIndex = one === stop ? 0 : -1;
  }

  // Each render may draw other buttons.
  useEffect(() => {
    const buttons = buttonsOf(ref.current);
    const kept = buttons.find((one) => one === last.current);
    setStop(kept ?? (start === "first" ? buttons[0] : buttons.at(-1)));
  });

  return {
    ref,
    onFocus({ target }) {
      if (!(target instanceof HTMLButtonElement)) return;
      last.current = target;
      setStop(target);
    },
    onKeyDown(event) {
      const buttons = buttonsOf(ref.current);
      const at = buttons.findIndex((one) => one === document.activeElement);
      const to = at === -1 ? undefined : buttons[targetOf(event.key, at, buttons.length)];
      if (to === undefined) return;
      event.preventDefault();
      to.focus();
    },
  };
}

function buttonsOf(row: HTMLElement | null): readonly HTMLElement[] {
  return [...(row?.querySelectorAll("button") ?? [])];
}

/** The place to which a key moves; -1 for any other key. */
function targetOf(key: string, at: number, count: number): number {
  switch (key) {
    case "ArrowRight":
      return Math.min(count - 1, at + 1);
    case "ArrowLeft":
      return Math.max(0, at - 1);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return -1;
  }
}
