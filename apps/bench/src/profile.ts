import { readdir, readFile } from "node:fs/promises";
import type { HeapProfiler, Profiler, Runtime } from "node:inspector";
import { basename, join } from "node:path";
import { formatTable } from "./table.ts";

/** How many functions a table names. */
const MOST_ROWS = 25;
/** A function below this share is left out. */
const LEAST_SHARE = 0.005;

/**
 * What a profiled process calls its two files; DevTools opens both.
 * @param subject its first parameter: the name of the subject, if the module has several
 */
export function profileNames(
  module: string,
  subject: string,
  pid: number,
): { readonly cpu: string; readonly heap: string } {
  const parts = [basename(module, ".ts"), subject.replaceAll(/[^\w-]/g, "_"), pid];
  const name = parts.filter((part) => part !== "").join("-");
  return { cpu: `${name}.cpuprofile`, heap: `${name}.heapprofile` };
}

/** Node's flags for a child that is to be profiled into this folder. */
export const PROFILE_FLAGS: readonly string[] = [
  "--import",
  new URL("profile-child.ts", import.meta.url).href,
];

/** The profiles in a folder, as tables of Markdown. */
export async function formatProfiles(folder: string): Promise<string> {
  const files = (await readdir(folder)).toSorted();
  const tables: string[] = [];
  for (const file of files) {
    const text = await readFile(join(folder, file), "utf8");
    if (file.endsWith(".cpuprofile")) {
      tables.push(formatShares(`${file}: processor time`, cpuShares(JSON.parse(text))));
    } else if (file.endsWith(".heapprofile")) {
      tables.push(formatShares(`${file}: bytes allocated`, allocationShares(JSON.parse(text))));
    }
  }
  return tables.join("\n\n");
}

/** The part that each function took by itself, from 0 to 1. */
export type Shares = ReadonlyMap<string, number>;

/** Of the time in which the process did anything: what it waited is left out. */
export function cpuShares({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    if (name !== "(idle)") add(micros, name, timeDeltas[index] ?? 0);
  }
  return toShares(micros);
}

/** Of all bytes allocated, whether still held or not. */
export function allocationShares({ head }: HeapProfiler.SamplingHeapProfile): Shares {
  const bytes = new Map<string, number>();
  const open = [head];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    add(bytes, nameOf(node.callFrame), node.selfSize);
    open.push(...node.children);
  }
  return toShares(bytes);
}

function nameOf({ functionName, url, lineNumber }: Runtime.CallFrame): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return name;
  const place = url.replace(/^.*\/node_modules\//, "").replace(/^.*\/(?=(packages|apps)\/)/, "");
  return `${name} ${place}:${lineNumber + 1}`;
}

function add(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value);
}

function toShares(sums: ReadonlyMap<string, number>): Shares {
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  return new Map([...sums].map(([name, value]) => [name, total === 0 ? 0 : value / total]));
}

function formatShares(title: string, shares: Shares): string {
  const rows = [...shares]
    .toSorted(([, a], [, b]) => b - a)
    .filter(([, share]) => share >= LEAST_SHARE)
    .slice(0, MOST_ROWS)
    .map(([name, share]) => [`${(100 * share).toFixed(1)} %`, `\`${name}\``]);
  return `### ${title}\n\n${formatTable(["share", "function"], rows)}`;
}
