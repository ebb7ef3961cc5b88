import type { RunRecord } from "@tm/run-events-core/store";
import type { LogPage } from "@tm/run-events-core/wire";

/**
 * A page's entity tag. The log never changes behind a reader, so a page is known by its run (the ordinal, and when it was
 * created), where it starts and ends, and the end of the log, which the state follows from.
 * @see W18
 */
export function etagOf(page: LogPage & { readonly run: RunRecord }, since: number): string {
  const { run, events, lastSequence } = page;
  const end = events.at(-1)?.sequence ?? since;
  return `"${run.ordinal}-${run.createdAtMs}-${since}-${end}-${lastSequence}"`;
}

/** Whether `If-None-Match` names the tag. Compares weakly, as RFC 9110 says for it. @see W18 */
export function matchesEtag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((part) => {
    const tag = part.trim();
    return tag === "*" || tag === etag || tag === `W/${etag}`;
  });
}
