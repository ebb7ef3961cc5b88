import { testEventStore } from "@tm/run-events-conformance/vitest";
import { createMemoryStore } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { casesOnLeaks, LEAK_FOUND } from "./leaking-doors.ts";

const options = { name: "the memory store", open: () => createMemoryStore() };

testEventStore(options);

it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
  await expect(run()).rejects.toThrow(LEAK_FOUND);
});
