import {
  createTraceState,
  INVALID_SPAN_CONTEXT,
  type SpanContext,
  trace,
} from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import { withTraceparent } from "../src/index.ts";
import { spanContextIn } from "../src/traceparent.ts";
import { createSdk, useContexts } from "./sdk.ts";

useContexts();

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const CONTEXT: SpanContext = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };

describe("withTraceparent", () => {
  it("adds the active span's context, which is read back as a remote one", async () => {
    const { within } = createSdk();
    await within("request", async (span) => {
      const metadata = withTraceparent({ title: "Tea" });
      const { traceId, spanId } = span.spanContext();
      expect(metadata).toStrictEqual({
        title: "Tea",
        traceparent: `00-${traceId}-${spanId}-01`,
      });
      expect(spanContextIn(JSON.parse(JSON.stringify(metadata)))).toStrictEqual({
        traceId,
        spanId,
        traceFlags: 1,
        isRemote: true,
      });
    });
  });

  it("keeps what the vendors of the trace have added", () => {
    const traceState = createTraceState("vendor=a:1,other=b");
    const metadata = withTraceparent({}, trace.wrapSpanContext({ ...CONTEXT, traceState }));
    expect(metadata).toStrictEqual({
      traceparent: `00-${TRACE}-${SPAN}-01`,
      tracestate: "vendor=a:1,other=b",
    });
    expect(spanContextIn(metadata)?.traceState?.serialize()).toBe("vendor=a:1,other=b");
  });

  it("leaves the metadata as it is without a span, and with one that is not valid", () => {
    const metadata = { title: "Tea" };
    expect(withTraceparent(metadata)).toBe(metadata);
    expect(withTraceparent(metadata, trace.wrapSpanContext(INVALID_SPAN_CONTEXT))).toBe(metadata);
  });
});

describe("the context in the metadata", () => {
  it.each([
    ["none", {}],
    ["metadata that is not an object", `00-${TRACE}-${SPAN}-01`],
    ["null", null],
    ["a number", { traceparent: 1 }],
    ["other text", { traceparent: "tea" }],
    ["a trace of zeros", { traceparent: `00-${"0".repeat(32)}-${SPAN}-01` }],
    ["a span of zeros", { traceparent: `00-${TRACE}-${"0".repeat(16)}-01` }],
    ["the version ff", { traceparent: `ff-${TRACE}-${SPAN}-01` }],
    ["capitals", { traceparent: `00-${TRACE.toUpperCase()}-${SPAN}-01` }],
    ["more parts than its version has", { traceparent: `00-${TRACE}-${SPAN}-01-more` }],
    ["an object that has no text", { traceparent: { toString: 1 } }],
    ["a list", { traceparent: [`00-${TRACE}-${SPAN}-01`] }],
  ])("is not valid with %s: then the work has no link", (_what, metadata) => {
    expect(spanContextIn(metadata)).toBeNull();
  });

  it("is valid in a later version, which may have more parts", () => {
    expect(spanContextIn({ traceparent: `01-${TRACE}-${SPAN}-00-more` })).toStrictEqual({
      traceId: TRACE,
      spanId: SPAN,
      traceFlags: 0,
      isRemote: true,
    });
  });
});
