import { onTestFinished, vi } from "vitest";

/** What a page does to its scripts, where there is no page. */
export interface StandInPage {
  hide(): void;
  show(): void;
  goOnline(): void;
  /** Comes out of the back-forward cache. */
  restore(): void;
}

/** Makes this look like a page until the test's end. Real ones are in `browser`. */
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
