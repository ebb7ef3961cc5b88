import { expect } from "vitest";
import type { Head } from "../../src/rules/head.ts";
import type { MvccData } from "./mvcc-engine.ts";

const number = (value: number): string =>
  `${String.fromCharCode(96 + String(value).length)}${value}`;

/** Every key of the lists, the index and the places that these heads have to have, with its value. Written apart from the store's own. */
function derivedKeys(heads: readonly Head[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const head of heads) {
    const { ownerId, runId, topic, ordinal, runStatus, leaseExpiresAtMs, dueMs } = head;
    const owner = encodeURIComponent(ownerId);
    const id = `${owner}/${runId}`;
    const isLive = ["queued", "running", "waiting"].includes(runStatus);
    for (const kind of isLive ? ["all", "live"] : ["all"]) {
      keys.set(`${kind}/${owner}//${number(ordinal)}`, id);
      if (topic !== null)
        keys.set(`${kind}/${owner}/${encodeURIComponent(topic)}/${number(ordinal)}`, id);
    }
    const waitsFor = isLive ? (leaseExpiresAtMs === null ? runStatus : "leased") : "finished";
    keys.set(`due/${waitsFor}/${number(dueMs)}/${id}`, id);
  }
  return keys;
}

/** All entries of a kind. */
function entriesOf(data: MvccData, kind: string): ReadonlyMap<string, string> {
  return new Map(data.scan(`${kind}/`, `${kind}0`).map(({ key, value }) => [key, value]));
}

/** The heads of all runs. */
export function headsOf(data: MvccData): readonly Head[] {
  return [...entriesOf(data, "head").values()].map((value) => JSON.parse(value) as Head);
}

/** Checks that all keys are those of the heads: lists, the due index, places, logs, and nothing that belongs to no run. */
export function checkKeys(data: MvccData, isCleared = true): void {
  const heads = headsOf(data);
  const lists = ["all", "live", "due"].flatMap((kind) => [...entriesOf(data, kind)]);
  expect(new Map(lists)).toEqual(new Map(derivedKeys(heads)));
  const paths = heads.map(
    ({ ownerId, runId, ordinal }) =>
      `run/${encodeURIComponent(ownerId)}/${runId}/${number(ordinal)}/`,
  );
  const remains = [...entriesOf(data, "gone").values()].map((path) => `${path}/`);
  if (isCleared) expect(remains).toEqual([]);
  for (const key of entriesOf(data, "run").keys()) {
    expect(
      [...paths, ...remains].filter((path) => key.startsWith(path)),
      key,
    ).toHaveLength(1);
  }
  // A place is the ordinal of a run of its topic that still exists, or the key does not exist.
  const ordinals = heads.map(
    ({ ownerId, topic, ordinal }) =>
      `place/${encodeURIComponent(ownerId)}/${encodeURIComponent(topic ?? "")} ${ordinal}`,
  );
  for (const [key, value] of entriesOf(data, "place"))
    expect(ordinals).toContain(`${key} ${value}`);
  const own = heads.map(({ ownerId, ordinal }) => `${ownerId} ${ordinal}`);
  expect(new Set(own).size).toBe(own.length);
}
