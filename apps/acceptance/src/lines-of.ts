import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** The lines that a child prints, until the pattern has matched one; rejects if the child ends before. */
export async function linesUntil(child: ChildProcess, pattern: RegExp): Promise<readonly string[]> {
  if (child.stdout === null) throw new TypeError("Expected a child with a piped stdout.");
  const seen: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    seen.push(line);
    if (pattern.test(line)) return seen;
  }
  throw new Error(
    `The child ended before it printed ${pattern.source}; it printed: ${seen.join("\n")}`,
  );
}
