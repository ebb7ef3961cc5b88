import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { findProgram } from "@tm/run-events-test-servers";
import type { Fenced, WorkerReport } from "./chaos-plan.ts";

const WORKER = join(import.meta.dirname, "chaos-worker.ts");

/** Options for starting a worker. */
export interface WorkerPlan {
  readonly manner: "careful" | "reckless";
  /** The error of its clock, such as `+3m`; `null` for the right time. */
  readonly skew: string | null;
}

/** The worker processes of one store. */
export interface Crew {
  /** All reports so far. */
  readonly reports: readonly WorkerReport[];
  /** Kills a worker and starts another in its place, unless all were killed meanwhile. */
  replace(index: number): Promise<void>;
  /** Freezes a worker at once, at any place. */
  freeze(index: number): void;
  thaw(index: number): void;
  /** Whether a worker has begun to check for runs. */
  isReady(index: number): boolean;
  /** The last claim of a worker. */
  newest(index: number): Fenced | undefined;
  /** Resolves as soon as this is so. @throws Error if a worker ended that should not have */
  until(isSo: () => boolean): Promise<void>;
  /** Resolves once every worker has said that all runs have ended. @throws Error if one ended otherwise */
  done(): Promise<void>;
  killAll(): Promise<void>;
}

/** Starts one process for each plan. */
export function startCrew(storeUrl: string, plans: readonly WorkerPlan[]): Crew {
  const reports: WorkerReport[] = [];
  const waiting = new Set<() => void>();
  const newest: Fenced[] = [];
  const children = plans.map((plan, index) => start(plan, index));
  const ready = new Set<ChildProcess>();
  const done = new Set<ChildProcess>();
  const replaced = new Set<ChildProcess>();
  let failure: Error | null = null;
  let isOver = false;

  function start({ manner, skew }: WorkerPlan, index: number): ChildProcess {
    const child = fork(WORKER, [storeUrl, manner], {
      execArgv: ["-C", "@tm/source"],
      env: { ...process.env, ...(skew === null ? {} : skewedBy(skew)) },
    });
    child.on("message", (report: WorkerReport) => {
      reports.push(report);
      if ("claimed" in report) newest[index] = report.claimed;
      if ("ready" in report) ready.add(child);
      if ("done" in report) done.add(child);
      checkAll();
    });
    child.on("exit", (code, signal) => {
      if (!done.has(child) && !replaced.has(child)) {
        failure ??= new Error(`A worker ended by itself, with ${code ?? signal}.`);
      }
      checkAll();
    });
    return child;
  }

  function checkAll(): void {
    for (const check of waiting) check();
  }

  /** @throws Error if a worker ended that should not have */
  function until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (failure === null && !isSo()) return;
        waiting.delete(check);
        if (failure === null) resolve();
        else reject(failure);
      };
      waiting.add(check);
      check();
    });
  }

  async function kill(child: ChildProcess | undefined): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    replaced.add(child);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  return {
    reports,
    async replace(index) {
      await kill(children[index]);
      const plan = plans[index];
      if (isOver) return;
      if (plan !== undefined) children[index] = start(plan, index);
    },
    freeze: (index) => void children[index]?.kill("SIGSTOP"),
    thaw: (index) => void children[index]?.kill("SIGCONT"),
    isReady(index) {
      const child = children[index];
      return child !== undefined && ready.has(child);
    },
    newest: (index) => newest[index],
    until,
    done: () => until(() => children.every((child) => done.has(child))),
    async killAll() {
      isOver = true;
      await Promise.all(children.map(kill));
    },
  };
}

/**
 * The variables that give a process another time. They are set directly, because under `faketime` the signals would reach `faketime`
 * and not the process. Durations stay true.
 */
function skewedBy(skew: string): Readonly<Record<string, string>> {
  const faketime = findProgram("faketime") ?? "";
  const preload = execFileSync(faketime, ["-f", skew, "printenv", "LD_PRELOAD"], {
    encoding: "utf8",
  });
  return { LD_PRELOAD: preload.trim(), FAKETIME: skew, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}
