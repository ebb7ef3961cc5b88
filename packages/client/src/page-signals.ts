/** What a page tells of itself. A host without pages is never hidden and never woken. */
export interface PageSignals {
  isHidden(): boolean;
  /**
   * Calls back when connections are to be looked at: `"seen"` when the page is looked at again, `"moved"` when it comes back
   * from the network's absence or out of the back-forward cache, where no connection can be trusted.
   * @returns ends it
   */
  onWake(listener: (how: "seen" | "moved") => void): () => void;
}

interface Page {
  readonly document?: EventTarget & { readonly visibilityState?: string };
  readonly addEventListener?: unknown;
}

/** The signals of the host that this runs in. */
export function hostSignals(): PageSignals {
  const { document } = globalThis as Page;
  const target = globalThis as unknown as EventTarget;
  const isHidden = (): boolean => document?.visibilityState === "hidden";
  return {
    isHidden,
    onWake(listener) {
      if (typeof (globalThis as Page).addEventListener !== "function") return () => {};
      const left = new AbortController();
      const { signal } = left;
      document?.addEventListener("visibilitychange", () => void (isHidden() || listener("seen")), {
        signal,
      });
      target.addEventListener("online", () => listener("moved"), { signal });
      target.addEventListener(
        "pageshow",
        (event) => {
          if ((event as unknown as { readonly persisted?: boolean }).persisted === true)
            listener("moved");
        },
        { signal },
      );
      return () => left.abort();
    },
  };
}
