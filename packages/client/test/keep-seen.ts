import type { RunFollower } from "@tm/run-events-client";

/** Events to append. */
export function notes(count: number): readonly { readonly eventType: string }[] {
  return Array.from({ length: count }, () => ({ eventType: "NOTE" }));
}

/** Follows, and keeps what came. */
export function keepSeen(follower: RunFollower): {
  readonly seen: number[];
  readonly ended: Promise<unknown>;
} {
  const seen: number[] = [];
  const ended = (async () => {
    for await (const { sequence } of follower) seen.push(sequence);
    return "the end";
  })().catch((error: unknown) => error);
  return { seen, ended };
}
