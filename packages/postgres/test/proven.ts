import { expect } from "vitest";
import { PATIENT } from "./patient.ts";
import type { RecordedPool } from "./recorded-pool.ts";
import { appendOf } from "@tm/run-events-test-servers/requests";
import type { RuledStore } from "./stores.ts";

/** Appends until the store's connection that listens is proven: then no other connection of the store sends notifications. */
export async function untilProven(
  store: RuledStore,
  listenPool: RecordedPool,
  runId: string,
): Promise<void> {
  await expect
    .poll(async () => {
      await store.append([appendOf(runId)]);
      return listenPool.sent.some(
        ({ text, client }) => text.includes("pg_notify") && client !== null,
      );
    }, PATIENT)
    .toBe(true);
}
