import type { ExampleFrame } from "./example-frame.ts";

const CORE = `import { createMemoryStore, createRunEvents } from "@tm/run-events-core";`;

/** The frames of the examples of `@tm/run-events-otel`. Without an SDK it records nothing. */
export const OTEL_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/otel/src/create-otel-telemetry.ts: createOtelTelemetry": {
    imports: `${CORE}
      import { createOtelTelemetry } from "@tm/run-events-otel";`,
    before: "const store = createMemoryStore();",
    after: 'return (await runs.create({ ownerId: "ada" })).runStatus;',
    result: "queued",
  },
  "packages/otel/src/traceparent.ts: withTraceparent": {
    imports: `${CORE}
      import { withTraceparent } from "@tm/run-events-otel";`,
    before: "const runs = createRunEvents({ store: createMemoryStore() });",
    after: 'return (await runs.list({ ownerId: "ada" })).runs.map(({ metadata }) => metadata);',
    result: [{ title: "Tea" }],
  },
};
