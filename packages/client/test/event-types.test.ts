import { followRun, type OtherType, type RunWriter, type TypedEvent } from "@tm/run-events-client";
import type { RunView } from "@tm/run-events-client/react";
import { expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { page, startScriptedServer } from "./scripted-server.ts";

interface Words {
  readonly words: number;
}
type Events = { readonly STEP: Words; readonly RUN_COMPLETED: string };

/** Uses an event as far as its type narrows it. */
function narrow(event: TypedEvent<Events>): unknown {
  if (event.eventType === "STEP") {
    expectTypeOf(event.payload).toEqualTypeOf<Words>();
    return event.payload;
  }
  if (event.eventType === "RUN_COMPLETED") {
    expectTypeOf(event.payload).toEqualTypeOf<string>();
    return event.payload;
  }
  // The types of a run's lifecycle may come even if the map omits them.
  for (const type of ["RUN_STARTED", "PHASE_STARTED", "RUN_FAILED", "RUN_CANCELLED"] as const) {
    if (event.eventType !== type) continue;
    expectTypeOf(event.payload).toEqualTypeOf<unknown>();
    return event.payload;
  }
  expectTypeOf<OtherType>().toExtend<string>();
  expectTypeOf(event.payload).toEqualTypeOf<unknown>();
  return event.eventType.toLowerCase();
}

it("types: an event of a type that the map does not name is delivered, and its payload is unknown", async () => {
  const { baseUrl } = await startScriptedServer((response) => page(response, [1], "completed"));
  const credential = { bearer: "b" } as const;
  const seen: unknown[] = [];
  for await (const event of followRun<Events>({ baseUrl, runId: "a", credential })) {
    expectTypeOf(event).toEqualTypeOf<TypedEvent<Events>>();
    seen.push(narrow(event));
  }
  expect(seen).toEqual(["token"]);
});

it("types: schemas type the payloads of their own event types only", async () => {
  const { baseUrl } = await startScriptedServer((response) => page(response, [1, 2], "completed"));
  const schemas = { TOKEN: z.number() };
  let sum = 0;
  const follower = followRun({ baseUrl, runId: "a", credential: { bearer: "b" }, schemas });
  for await (const event of follower) {
    // A type of the lifecycle may come.
    if (event.eventType === "PHASE_STARTED") expectTypeOf(event.payload).toEqualTypeOf<unknown>();
    if (event.eventType === "TOKEN") {
      expectTypeOf(event.payload).toEqualTypeOf<number>();
      sum += event.payload;
    }
  }
  expect(sum).toBe(3);
});

it("types: without a map every event has a string for a type and an unknown payload", () => {
  for (const event of [] as readonly RunView["events"][number][]) {
    expectTypeOf(event.eventType).toEqualTypeOf<string>();
    expectTypeOf(event.payload).toEqualTypeOf<unknown>();
  }
  expectTypeOf<RunView<Events>["events"][number]>().toEqualTypeOf<TypedEvent<Events>>();
});

it("types: a writer ends its run with the payload type of the map", () => {
  expectTypeOf<RunWriter<Events>["complete"]>().parameter(0).toEqualTypeOf<string | undefined>();
  expectTypeOf<RunWriter<Events>["fail"]>().parameter(0).toEqualTypeOf<unknown>();
  expectTypeOf<RunWriter["complete"]>().parameter(0).toEqualTypeOf<unknown>();
});
