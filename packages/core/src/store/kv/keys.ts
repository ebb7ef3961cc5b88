import { type DueKind, dueKindOf } from "../../rules/due.ts";
import type { Head, RunName } from "../../rules/head.ts";

/** The key of the format's number, of a probe, and of the clock of a store whose engine has none. */
export const FORMAT = "format";
export const PROBE = "probe";
export const STAMP = "stamp";

/** Any text as a part of a key. */
export const partOf: (text: string) => string = encodeURIComponent;

/** A number in an order of text: the count of its digits as a letter, then the digits. */
export function numberPart(number: number): string {
  const digits = String(Math.max(0, number));
  return `${String.fromCharCode(96 + digits.length)}${digits}`;
}

/** The number of a part. */
export function parseNumber(part: string): number {
  return Number(part.slice(1));
}

/** The range of the keys under a path. `0` follows `/`. */
export function under(path: string): { readonly from: string; readonly to: string } {
  return { from: `${path}/`, to: `${path}0` };
}

/** A run as keys name it: its owner's part, and its id. */
export function idOf({ ownerId, runId }: RunName): string {
  return `${partOf(ownerId)}/${runId}`;
}

/** The part of the owner in a run's id. */
export function ownerOf(id: string): string {
  return id.slice(0, id.indexOf("/"));
}

export const headKey = (id: string): string => `head/${id}`;

/** The path of all that only one life of a run has: an id that is used again gets another. */
export const runPath = (id: string, ordinal: number): string => `run/${id}/${numberPart(ordinal)}`;
export const metadataKey = (path: string): string => `${path}/metadata`;
/** By the chunk's last sequence, so that a scan from any sequence begins with the chunk that has it. */
export const chunkKey = (path: string, lastSequence: number): string =>
  `${path}/log/${numberPart(lastSequence)}`;
export const receiptKey = (path: string, idempotencyKey: string): string =>
  `${path}/receipt/${partOf(idempotencyKey)}`;

/** Marks a run's path whose keys are still to be removed. */
export const remainsKey = (id: string, ordinal: number): string =>
  `gone/${id}/${numberPart(ordinal)}`;

/** The path of a list of an owner's runs, by ordinal: of all, or of one topic. */
export const listPath = (kind: "all" | "live", owner: string, topic: string | null): string =>
  `${kind}/${owner}/${topic ?? ""}`;

/** The ordinal of the run that was created last in a topic. Every creation there moves it, so that an exclusive one can check it. */
export const placeKey = (owner: string, topic: string): string => `place/${owner}/${topic}`;

/** An ordinal that no run which the owner creates from now on may have, nor a smaller one: they may be of runs that were removed. */
export const floorKey = (owner: string): string => `floor/${owner}`;

export const duePath = (kind: DueKind): string => `due/${kind}`;
export const dueKey = (id: string, head: Head): string =>
  `${duePath(dueKindOf(head))}/${numberPart(head.dueMs)}/${id}`;
