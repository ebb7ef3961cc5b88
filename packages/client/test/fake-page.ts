import { onTestFinished, vi } from "vitest";

/** The events of a page, for a host without pages. */
export interface StandInPage {
  hide(): void;
  show(): void;
  goOnline(): void;
  /** Restores the page from the back-forward cache. */
  restore(): void;
}

/** Makes this process look like a page until the test's end. `browser` has tests with real pages. */
export function fakePage(): StandInPage {
  const window = new EventTarget();
  const document = { hidden: false };
  vi.stubGlobal("document", document);
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
  onTestFinished(() => void vi.unstubAllGlobals());
  function turn(hidden: boolean): void {
    document.hidden = hidden;
    window.dispatchEvent(new Event("visibilitychange"));
  }
  return {
    hide: () => turn(true),
    show: () => turn(false),
    goOnline: () => void window.dispatchEvent(new Event("online")),
    restore: () =>
      void window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true })),
  };
}
