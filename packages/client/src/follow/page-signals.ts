/** What this needs of a browser's page. A host without pages is never hidden and has no such events. */
interface Page {
  readonly document?: { readonly hidden?: boolean };
  readonly addEventListener?: (
    type: string,
    listener: (event: { readonly type: string; readonly persisted?: boolean }) => void,
    options: { readonly signal: AbortSignal },
  ) => void;
}

/**
 * Calls the listener when the page comes back. `hasMoved` is true if the page was offline or in the back-forward cache: its
 * connections may be dead. Otherwise the page has only become visible again.
 * @returns a function that stops the calls
 */
export function onPageReturn(listener: (hasMoved: boolean) => void): () => void {
  const page = globalThis as Page;
  const left = new AbortController();
  for (const name of ["visibilitychange", "online", "pageshow"]) {
    page.addEventListener?.(
      name,
      ({ type, persisted }) => {
        const hasMoved = type === "online" || persisted === true;
        // A page that has become hidden is not back.
        if (hasMoved || page.document?.hidden !== true) listener(hasMoved);
      },
      { signal: left.signal },
    );
  }
  return () => left.abort();
}

/** Where a page is. `left`: it is closed, or kept in the back-forward cache. */
export type Presence = "visible" | "hidden" | "left";

/**
 * Calls the listener now, and each time the page becomes hidden or visible, or is left.
 * @returns a function that stops the calls
 */
export function onPresenceChange(listener: (presence: Presence) => void): () => void {
  const page = globalThis as Page;
  const over = new AbortController();
  const { signal } = over;
  const onChange = (): void => listener(page.document?.hidden === true ? "hidden" : "visible");
  page.addEventListener?.("visibilitychange", onChange, { signal });
  page.addEventListener?.("pageshow", onChange, { signal });
  page.addEventListener?.("pagehide", () => listener("left"), { signal });
  onChange();
  return () => over.abort();
}
