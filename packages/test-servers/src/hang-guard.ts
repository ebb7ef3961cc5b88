import { relative } from "node:path";
import type { Reporter, TestModule, Vite } from "vitest/node";
import { listStarted, markStarted, type RunningProcess } from "./running-processes.ts";

/** The time that a run may go on without the end of a test, in milliseconds. Every test has to be shorter. */
const HANG_LIMIT_MS = 300_000;

/**
 * Ends a run that hangs. Vitest waits without a bound for its workers' output to close, and a process that a test has left behind keeps
 * it open.
 */
export function hangGuard(limitMs: number = HANG_LIMIT_MS): Vite.Plugin {
  return {
    name: "hang-guard",
    configureVitest({ vitest, project }) {
      if (!project.isRootProject() || vitest.config.watch) return;
      markStarted();
      vitest.config.reporters.push(createHangReporter(limitMs));
    },
  };
}

/** Ends a run that hangs: prints which test files run and which processes are alive, kills the processes, and exits with 1. */
function createHangReporter(limitMs: number): Reporter {
  const running = new Set<TestModule>();
  let timer: NodeJS.Timeout | undefined;

  function restart(): void {
    clearTimeout(timer);
    timer = setTimeout(end, limitMs);
    // The timer does not keep a run alive.
    timer.unref();
  }

  function end(): void {
    const left = listStarted();
    console.error(describeHang(limitMs, [...running].map(nameOf), left));
    for (const { pid } of left) kill(pid);
    process.exit(1);
  }

  return {
    onTestRunStart: restart,
    onTestModuleQueued(module) {
      running.add(module);
      restart();
    },
    onTestCaseResult: restart,
    onTestModuleEnd(module) {
      for (const other of running) if (other.moduleId === module.moduleId) running.delete(other);
      restart();
    },
    onTestRunEnd: restart,
  };
}

function nameOf({ moduleId }: TestModule): string {
  return relative(process.cwd(), moduleId);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended meanwhile.
  }
}

/** The report of a run that hangs. */
function describeHang(
  limitMs: number,
  files: readonly string[],
  processes: readonly RunningProcess[],
): string {
  const runningFiles =
    files.length > 0 ? files : ["none: a process holds the output of a worker open"];
  return [
    `\nThe tests hang: no test has ended for ${limitMs / 1_000} s. The run ends as failed.`,
    "Test files that run:",
    ...runningFiles.map((file) => `  ${file}`),
    "Processes that are alive, which are killed now:",
    ...processes.map(({ pid, command }) => `  ${pid}: ${command}`),
  ].join("\n");
}
