import type { RunRecord } from "@tm/run-events-core/store";
import type { RunLog } from "@tm/run-events-core/wire";

/**
 * Makes a page's entity tag. Events never change, so these identify a page: its run (the ordinal and the time of creation), its
 * start and its end, and the end of the log, which determines the status and the phase.
 * @see clause W18 in `WIRE.md`
 */
export function etagOf(
  page: Awaited<ReturnType<RunLog["readPage"]>> & { readonly run: RunRecord },
  since: number,
): string {
  const { run, events, lastSequence } = page;
  const end = events.at(-1)?.sequence ?? since;
  return `"${run.ordinal}-${run.createdAtMs}-${since}-${end}-${lastSequence}"`;
}

/** Whether `If-None-Match` names the tag. The comparison is weak, as in RFC 9110. @see clause W18 in `WIRE.md` */
export function matchesEtag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((part) => {
    const tag = part.trim();
    return tag === "*" || tag === etag || tag === `W/${etag}`;
  });
}
