import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** Starts a producer in a process of its own, until it has written something. The process is killed after the test, if not before. */
export async function startProducer(
  program: string,
  ...args: readonly string[]
): Promise<ChildProcess> {
  const producer = fork(program, args, { execArgv: ["-C", "@tm/source"] });
  onTestFinished(() => void producer.kill("SIGKILL"));
  await once(producer, "message");
  return producer;
}
