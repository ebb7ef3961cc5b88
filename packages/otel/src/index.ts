export type { OtelOptions } from "./create-otel-telemetry.ts";
export { createOtelTelemetry } from "./create-otel-telemetry.ts";
export { withTraceparent } from "./traceparent.ts";
