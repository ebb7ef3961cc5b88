import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { createMemoryStore, createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import { expect, it, onTestFinished, vi } from "vitest";
import { type OtelOptions, withTraceparent } from "../src/index.ts";
import { createSdk, type Sdk, useContexts } from "./sdk.ts";

useContexts();

const LEASE = { leaseMs: 30_000 };

/** Runs of Ada that are traced, with the run `r`. */
async function openTraced(options?: OtelOptions): Promise<Sdk & { readonly runs: OwnedRuns }> {
  const sdk = createSdk(options);
  const runs = createRunEvents({ store: createMemoryStore(), telemetry: sdk.telemetry });
  onTestFinished(() => runs.close());
  const ada = runs.as("ada");
  await ada.create({ runId: "r" });
  return { ...sdk, runs: ada };
}

function parentOf(span: { readonly parentSpanContext?: { readonly spanId: string } } | undefined) {
  return span?.parentSpanContext?.spanId;
}

it("an append is a PRODUCER span below the span of its caller, with the run, the size and the sequence", async () => {
  const { runs, spans, within } = await openTraced();
  const before = Date.now();
  const callerId = await within("caller", async (span) => {
    await runs.append("r", [{ eventType: "A" }, { eventType: "B", payload: "secret" }]);
    return span.spanContext().spanId;
  });
  const [span, ...others] = spans("run_events.append");
  expect(others).toStrictEqual([]);
  expect(span).toMatchObject({ kind: SpanKind.PRODUCER, status: { code: SpanStatusCode.UNSET } });
  expect(span?.attributes).toStrictEqual({
    "messaging.system.name": "run_events",
    "messaging.operation.type": "send",
    "messaging.operation.name": "append",
    "messaging.batch.message_count": 2,
    "run_events.run.id": "r",
    "run_events.last_sequence": 2,
    "run_events.outcome": "appended",
  });
  expect(parentOf(span)).toBe(callerId);
  // Its times are those of the append, although it was made afterwards.
  const [seconds = 0, nanos = 0] = span?.startTime ?? [];
  expect(seconds * 1_000 + nanos / 1e6).toBeGreaterThanOrEqual(before - 1);
  const [most = 0, rest = 0] = span?.duration ?? [];
  expect(most * 1_000 + rest / 1e6).toBeLessThanOrEqual(Date.now() - before + 1);
});

it("appends of callers that share a group are below the span of their own caller", async () => {
  const { runs, spans, within, total } = await openTraced();
  await runs.create({ runId: "s" });
  const callers = ["r", "s"].map((runId) =>
    within("caller", async (span) => {
      await runs.append(runId, [{ eventType: "A" }]);
      return [runId, span.spanContext().spanId];
    }),
  );
  const expected = await Promise.all(callers);
  expect(await total("run_events.append.group.duration")).toBe(1);
  const found = spans("run_events.append").map((span) => [
    span.attributes["run_events.run.id"],
    parentOf(span),
  ]);
  expect(found).toStrictEqual(expected);
});

it("an append that was refused is a span with the error's code and no message", async () => {
  const { runs, spans } = await openTraced();
  await runs.append("r", [{ eventType: "A" }], { expectedSequence: 7 }).catch(() => {});
  const [span] = spans("run_events.append");
  expect(span?.status).toStrictEqual({ code: SpanStatusCode.ERROR });
  expect(span?.attributes).toMatchObject({
    "run_events.outcome": "sequence_conflict",
    "error.type": "sequence_conflict",
  });
  expect(span?.attributes).not.toHaveProperty(["run_events.last_sequence"]);
  expect(span?.events).toStrictEqual([]);
});

it("without `appendSpans` only the work has spans, and the metrics stay", async () => {
  const { runs, spans, total } = await openTraced({ appendSpans: false });
  await runs.work("r", LEASE, async (run) => run.emit("A"));
  expect(spans().map(({ name }) => name)).toStrictEqual(["run_events.work"]);
  expect(await total("run_events.append.duration")).toBe(2);
});

it("W31: a work is a CONSUMER span that links to the run's creator and is not its child", async () => {
  const { runs, spans, within } = await openTraced();
  const creator = await within("request", async (span) => {
    await runs.create({ runId: "s", metadata: withTraceparent({ title: "Tea" }) });
    return span.spanContext();
  });
  const workerId = await within("worker", async (span) => {
    await runs.work("s", LEASE, () => 1);
    return span.spanContext().spanId;
  });
  const [span, ...others] = spans("run_events.work");
  expect(others).toStrictEqual([]);
  expect(span?.kind).toBe(SpanKind.CONSUMER);
  expect(span?.links).toMatchObject([
    { context: { traceId: creator.traceId, spanId: creator.spanId, isRemote: true } },
  ]);
  expect(parentOf(span)).toBe(workerId);
  expect(span?.spanContext().traceId).not.toBe(creator.traceId);
  expect(span?.attributes).toStrictEqual({
    "messaging.system.name": "run_events",
    "messaging.operation.type": "process",
    "messaging.operation.name": "work",
    "run_events.run.id": "s",
    "run_events.last_sequence": 0,
    "run_events.outcome": "completed",
  });
});

it("any metadata of a creator leaves the work its span, and prints nothing", async () => {
  const { runs, spans } = await openTraced();
  const log = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => log.mockRestore());
  const hostile: readonly unknown[] = [{ toString: 1 }, "0".repeat(100_000), null, [], {}];
  for (const traceparent of hostile) {
    const metadata = { traceparent, tracestate: traceparent };
    const { runId } = await runs.create({ metadata });
    await runs.work(runId, LEASE, () => 1);
    const span = spans("run_events.work").at(-1);
    expect(span?.attributes["run_events.run.id"]).toBe(runId);
    expect(span?.links).toStrictEqual([]);
  }
  expect(log).not.toHaveBeenCalled();
});

it("the agent's own spans are children of the work's span, and so are its appends", async () => {
  const { runs, spans, tracer, within } = await openTraced();
  const { done } = await runs.start({ runId: "s", ...LEASE }, async (run) => {
    tracer.startSpan("call model").end();
    await within("tool", async () => run.append([{ eventType: "A" }]));
    await run.emit("B");
    return trace.getActiveSpan()?.spanContext().spanId;
  });
  expect(spans("run_events.work")).toStrictEqual([]);
  const workId = await done;
  const [ended] = spans("run_events.work");
  expect(ended?.spanContext().spanId).toBe(workId);
  expect(ended?.links).toStrictEqual([]);
  const [model] = spans("call model");
  const [tool] = spans("tool");
  expect([parentOf(model), parentOf(tool)]).toStrictEqual([workId, workId]);
  const appends = spans("run_events.append").map(parentOf);
  expect(appends).toStrictEqual([tool?.spanContext().spanId, workId, workId]);
});

it.each<readonly [string, Parameters<OwnedRuns["work"]>[2], string]>([
  [
    "throws",
    () => {
      throw new TypeError("secret");
    },
    "failed",
  ],
  [
    "loses its run",
    async (run) => {
      await lose?.();
      await run.append([{ eventType: "A" }]);
    },
    "lost",
  ],
])("a work whose task %s is a span with an error and no message", async (_what, task, outcome) => {
  const { runs, spans } = await openTraced();
  lose = async () => void (await runs.cancel("r"));
  await runs.work("r", LEASE, task).catch(() => {});
  const [span] = spans("run_events.work");
  expect(span?.status).toStrictEqual({ code: SpanStatusCode.ERROR });
  expect(span?.attributes).toMatchObject({ "run_events.outcome": outcome, "error.type": outcome });
  expect(span?.events).toStrictEqual([]);
});

/** Ends the run of the worker, in the name of its owner. */
let lose: (() => Promise<void>) | undefined;

it("a work that parks its run is a span without an error", async () => {
  const { runs, spans } = await openTraced();
  await runs.work("r", LEASE, (run) => run.park());
  const [span] = spans("run_events.work");
  expect(span?.status).toStrictEqual({ code: SpanStatusCode.UNSET });
  expect(span?.attributes).toMatchObject({ "run_events.outcome": "parked" });
});
