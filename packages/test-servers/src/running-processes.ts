import { execFileSync } from "node:child_process";

/** A process of the system. */
export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly ageSeconds: number;
  /** Its program, and the script that it runs if there is one. No other argument: those may hold secrets. */
  readonly command: string;
}

const COLUMNS = "pid=,ppid=,pgid=,etime=,stat=,args=";
const LINE =
  /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)\s+([^Z\s]\S*)\s+(\S+)(.*)$/;
const SCRIPT = /\S+\.[cm]?[jt]s(?=\s|$)/;

/** Every running process of the system, as `ps` lists them. */
export function listProcesses(): readonly RunningProcess[] {
  const table = execFileSync("ps", ["-A", "-ww", "-o", COLUMNS], {
    encoding: "utf8",
    maxBuffer: Infinity,
  });
  return table.split("\n").flatMap(parseProcess);
}

/** Parses a line of `ps`. Nothing for another line, or for a process that has ended and is not yet reaped. */
export function parseProcess(line: string): readonly RunningProcess[] {
  const match = LINE.exec(line);
  if (match === null) return [];
  const [pid, parentPid, groupId, days, hours, minutes, seconds] = match.slice(1, 8).map(Number);
  const [program = "", rest = ""] = match.slice(9);
  const script = SCRIPT.exec(rest)?.[0];
  const hoursInAll = (days || 0) * 24 + (hours || 0);
  return [
    {
      pid: pid ?? 0,
      parentPid: parentPid ?? 0,
      groupId: groupId ?? 0,
      ageSeconds: (hoursInAll * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0),
      command: script === undefined ? program : `${program} ${script}`,
    },
  ];
}

/**
 * All descendants of a process. If a process in between has ended, the process group still shows them. A member of the group that is
 * older than the process itself was started by another process. So was one of the same second with the same parent, as in a pipeline of a
 * shell, or with a lower id.
 */
export function findStartedBy(
  pid: number,
  processes: readonly RunningProcess[],
): readonly RunningProcess[] {
  const self = processes.find((process) => process.pid === pid);
  if (self === undefined) return [];
  const started = new Set([pid]);
  // A child may come before its parent in the list: each round adds a generation.
  for (let size = 0; size < started.size;) {
    size = started.size;
    for (const { pid: child, parentPid } of processes)
      if (started.has(parentPid)) started.add(child);
  }
  const isLater = (process: RunningProcess): boolean =>
    process.ageSeconds < self.ageSeconds ||
    (process.ageSeconds === self.ageSeconds &&
      process.pid > pid &&
      process.parentPid !== self.parentPid);
  return processes.filter(
    (process) =>
      process.pid !== pid &&
      (started.has(process.pid) || (process.groupId === self.groupId && isLater(process))),
  );
}
