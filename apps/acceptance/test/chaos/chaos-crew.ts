import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { findProgram } from "@tm/run-events-test-servers";
import type { Fenced, WorkerReport } from "./chaos-plan.ts";

const WORKER = join(import.meta.dirname, "chaos-worker.ts");

/** How a worker is started. */
export interface WorkerPlan {
  readonly manner: "careful" | "reckless";
  /** What its clock is off by, such as `+3m`; `null` for the right time. */
  readonly skew: string | null;
}

/** The worker processes of one store. */
export interface Crew {
  /** All that was told so far. */
  readonly reports: readonly WorkerReport[];
  /** Kills a worker and starts another in its place. */
  replace(index: number): Promise<void>;
  /** Stops a worker where it stands. */
  freeze(index: number): void;
  thaw(index: number): void;
  /** What a worker has claimed last. */
  newest(index: number): Fenced | undefined;
  /** Resolves as soon as this is so. @throws Error if a worker ended that should not have */
  until(isSo: () => boolean): Promise<void>;
  /** How many runs were claimed so far, or so often. */
  claimed(): number;
  /** Resolves once every worker has said that all runs have ended. @throws Error if one ended otherwise */
  done(): Promise<void>;
  killAll(): Promise<void>;
}

/** Starts one process for each plan. */
export function startCrew(storeUrl: string, plans: readonly WorkerPlan[]): Crew {
  const reports: WorkerReport[] = [];
  const waiting = new Set<() => void>();
  let claimed = 0;
  const newest: Fenced[] = [];
  const children = plans.map((plan, index) => start(plan, index));
  const done = new Set<ChildProcess>();
  const replaced = new Set<ChildProcess>();
  let failure: Error | null = null;

  function start({ manner, skew }: WorkerPlan, index: number): ChildProcess {
    const args = ["-C", "@tm/source", WORKER, storeUrl, manner];
    const [command, words] =
      skew === null
        ? [process.execPath, args]
        : [findProgram("faketime") ?? "", ["-f", skew, process.execPath, ...args]];
    const child = spawn(command, words, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, FAKETIME_DONT_FAKE_MONOTONIC: "1" },
    });
    child.on("message", (report: WorkerReport) => {
      reports.push(report);
      if ("claimed" in report) {
        claimed += 1;
        newest[index] = report.claimed;
      }
      if ("done" in report) done.add(child);
      tellAll();
    });
    child.on("exit", (code, signal) => {
      if (!done.has(child) && !replaced.has(child)) {
        failure ??= new Error(`A worker ended by itself, with ${code ?? signal}.`);
      }
      tellAll();
    });
    return child;
  }

  function tellAll(): void {
    for (const look of waiting) look();
  }

  /** @throws Error if a worker ended that should not have */
  function until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (failure === null && !isSo()) return;
        waiting.delete(look);
        if (failure === null) resolve();
        else reject(failure);
      };
      waiting.add(look);
      look();
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
      if (plan !== undefined) children[index] = start(plan, index);
    },
    freeze: (index) => void children[index]?.kill("SIGSTOP"),
    thaw: (index) => void children[index]?.kill("SIGCONT"),
    newest: (index) => newest[index],
    until,
    claimed: () => claimed,
    done: () => until(() => children.every((child) => done.has(child))),
    killAll: async () => void (await Promise.all(children.map(kill))),
  };
}
