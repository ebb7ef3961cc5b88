/** The part of a browser's page that is used. A host without pages is never hidden and has no such events. */
interface Page {
  readonly document?: { readonly hidden?: boolean };
  readonly addEventListener?: (
    type: string,
    listener: (event: { readonly type: string; readonly persisted?: boolean }) => void,
    options: { readonly signal: AbortSignal },
  ) => void;
}

/** Where a page is. `left`: it is closed, or kept in the back-forward cache. */
export type Presence = "visible" | "hidden" | "left";

/**
 * Calls the listener now, each time the page becomes hidden or visible, is left, or comes back. `hasMoved` is true if the page was offline
 * or in the back-forward cache: its connections may be dead.
 * @returns a function that stops the calls
 */
export function onPresenceChange(
  listener: (presence: Presence, hasMoved: boolean) => void,
): () => void {
  const page = globalThis as Page;
  const over = new AbortController();
  const call = (hasMoved: boolean): void =>
    listener(page.document?.hidden === true ? "hidden" : "visible", hasMoved);
  for (const name of ["visibilitychange", "online", "pageshow", "pagehide"]) {
    page.addEventListener?.(
      name,
      ({ type, persisted }) => {
        if (type === "pagehide") listener("left", false);
        else call(type === "online" || persisted === true);
      },
      { signal: over.signal },
    );
  }
  call(false);
  return () => over.abort();
}
