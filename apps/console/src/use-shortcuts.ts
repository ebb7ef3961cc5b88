import { useEffect, useEffectEvent } from "react";

/** The actions of keys, by `KeyboardEvent.key`. */
export type Shortcuts = Readonly<Record<string, () => void>>;

/**
 * Handles keys wherever the focus is. Fields and dialogs have their own keys, and arrows within a payload scroll it. Keys with Ctrl, Alt
 * or Meta are the browser's.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent): void => {
    if (event.defaultPrevented || hasModifier(event)) return;
    if (event.target instanceof Element && event.target.closest(OWN_KEYS) !== null) return;
    if (event.target instanceof HTMLPreElement && event.key.startsWith("Arrow")) return;
    const act = Object.hasOwn(shortcuts, event.key) ? shortcuts[event.key] : undefined;
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKeyDown(event);
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
}

const OWN_KEYS = "input, select, textarea, dialog";

/** Whether a key is pressed with Ctrl, Alt or Meta, which makes it the browser's. */
export function hasModifier(event: {
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}): boolean {
  return event.ctrlKey || event.altKey || event.metaKey;
}
