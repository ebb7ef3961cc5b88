import { useEffect } from "react";

/** Sets a title before the page's own while the component is shown. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · run-events`;
    return () => void (document.title = "run-events");
  }, [title]);
}
