/** What a page tells of itself. A host without pages is never hidden and never woken. */
interface Page {
  readonly document?: { readonly hidden?: boolean };
  readonly addEventListener?: (
    type: string,
    listener: (event: { readonly type: string; readonly persisted?: boolean }) => void,
    options: { readonly signal: AbortSignal },
  ) => void;
}

/** Whether this runs in a page that nobody sees. */
function isHidden(): boolean {
  return (globalThis as Page).document?.hidden === true;
}

/**
 * Calls back when connections are to be looked at. `hasMoved`: the page comes back from the network's absence or out of the
 * back-forward cache, where no connection can be trusted; else it is just seen again.
 * @returns ends it
 */
export function onPageReturn(listener: (hasMoved: boolean) => void): () => void {
  const page = globalThis as Page;
  const left = new AbortController();
  for (const name of ["visibilitychange", "online", "pageshow"]) {
    page.addEventListener?.(
      name,
      ({ type, persisted }) => {
        const hasMoved = type === "online" || persisted === true;
        if (hasMoved || !isHidden()) listener(hasMoved);
      },
      { signal: left.signal },
    );
  }
  return () => left.abort();
}
