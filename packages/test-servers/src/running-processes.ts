import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A process that a test run has started. */
export interface RunningProcess {
  readonly pid: number;
  /** Its program, and the script that it runs if there is one. No other argument: those may hold secrets. */
  readonly command: string;
}

/** The variable that all processes of a run inherit. */
const MARK = "STARTED_BY_TESTS";
const SCRIPT = /\.[cm]?[jt]s$/;

/** Marks what this process starts from now on, and what those start, even if one in between ends before. */
export function markStarted(): void {
  process.env[MARK] = String(process.pid);
}

/** The marked processes that are alive. None where the system has no `/proc`. */
export function listStarted(): readonly RunningProcess[] {
  return listPids().flatMap((pid) => {
    const isMarked = readWords(pid, "environ").includes(`${MARK}=${process.pid}`);
    const [program, ...words] = readWords(pid, "cmdline");
    if (!isMarked || program === undefined) return [];
    const script = words.find((word) => SCRIPT.test(word));
    return [{ pid, command: script === undefined ? program : `${program} ${script}` }];
  });
}

function listPids(): readonly number[] {
  const entries = existsSync("/proc") ? readdirSync("/proc") : [];
  return entries.map(Number).filter((pid) => pid > 0);
}

/** Nothing of a process that has ended, or of another user's. */
function readWords(pid: number, file: "environ" | "cmdline"): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0").filter(Boolean);
  } catch {
    return [];
  }
}
