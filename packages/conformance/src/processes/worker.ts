// The program of a worker: opens the author's store and makes the parent's calls of it. See start-worker.ts.
import { flushCompileCache } from "node:module";
import type { RunEventStore } from "@tm/run-events-core/store";
import { assert } from "../assert.ts";
import { type KitStore, kitStore } from "../kit-store.ts";
import { type Command, encodeFailure, type Message, type Opening } from "./messages.ts";
import { turnClock } from "./turn-clock.ts";

/** The exports of the author's module. */
interface StoreModule {
  readonly open?: (place: unknown) => RunEventStore | Promise<RunEventStore>;
}

const subscriptions = new Map<number, ReturnType<KitStore["subscribe"]>>();
let opened: KitStore | null = null;

function send(message: Message): void {
  process.send?.(message);
}

async function open({ module, place, clockAheadMs }: Opening): Promise<unknown> {
  // Before the author's module is loaded, since it may keep references to the clock.
  if (clockAheadMs !== 0) turnClock(clockAheadMs);
  const exported = (await import(module)) as StoreModule;
  assert(typeof exported.open === "function", `${module} exports a function \`open\``);
  opened = kitStore(await exported.open(place));
  return { ...opened.capabilities };
}

async function answerTo({ id, call, args }: Command): Promise<unknown> {
  if (call === "open") return open(...(args as [Opening]));
  assert(opened !== null, "a worker opens its store first");
  if (call === "stop") return subscriptions.get(Number(args[0]))?.stop();
  if (call !== "subscribe") return (opened[call] as (...given: typeof args) => unknown)(...args);
  const [subject] = args as Parameters<KitStore["subscribe"]>;
  const subscription = opened.subscribe(subject, (runId) => send({ notified: id, runId }));
  subscriptions.set(id, subscription);
  return subscription.ready;
}

async function obey(command: Command): Promise<void> {
  const { id, call } = command;
  try {
    send({ id, answer: await answerTo(command) });
    // Else it is written when a process ends, and this one is killed.
    if (call === "open") flushCompileCache();
  } catch (error) {
    send({ id, failure: encodeFailure(error) });
  }
}

// The parent owns this process: without it the process would not end.
process.on("disconnect", () => process.exit());
process.on("message", (command: Command) => void obey(command));
