import type { RunSnapshot } from "@tm/run-events-core";

/** What a run is called: by its metadata's `title`, `name` or `command` if there is one in words, else by its id. */
export function runTitle({ runId, metadata }: Pick<RunSnapshot, "runId" | "metadata">): string {
  if (typeof metadata !== "object" || metadata === null) return runId;
  const { title, name, command } = metadata as Readonly<Record<string, unknown>>;
  for (const one of [title, name, command]) {
    const words = Array.isArray(one) ? one.join(" ") : one;
    if (typeof words === "string" && words.trim() !== "") return words.trim();
  }
  return runId;
}
