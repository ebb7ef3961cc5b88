import type { Meter } from "@opentelemetry/api";
import type { Diagnostic } from "@tm/run-events-core/store";
import { createInstruments, type Instrument, type Metric } from "./instruments.ts";
import {
  CALL,
  ERROR_TYPE,
  FOUND_BY,
  METHOD,
  outcomeAttributes,
  REASON,
  ROUTE,
  STATUS_CODE,
} from "./names.ts";
import { isFailure } from "./spans.ts";

/** All metrics. Their names are API. */
const METRICS = {
  appendDuration: ["duration", "append.duration", "s", "From an append's call to its answer."],
  appendedEvents: ["count", "append.events", "{event}", "Events that were appended."],
  groupDuration: [
    "duration",
    "append.group.duration",
    "s",
    "How long the store had a group of appends.",
  ],
  groupSize: ["size", "append.group.size", "{append}", "Appends of one group."],
  groupQueued: [
    "size",
    "append.group.queued",
    "{append}",
    "Appends that waited for the next groups.",
  ],
  resends: [
    "count",
    "resends",
    "{call}",
    "Calls that were sent again, since their answer was lost.",
  ],
  resendDuration: ["duration", "resend.duration", "s", "How long a call in doubt was sent again."],
  claimDuration: ["duration", "work.claim.duration", "s", "How long a worker's claim took."],
  activeWork: ["active", "work.active", "{run}", "Runs that are worked on."],
  workDuration: ["duration", "work.duration", "s", "From a worker's claim to its end."],
  lostLeases: ["count", "work.lost_leases", "{lease}", "Leases that workers have lost."],
  activeTails: ["active", "tail.active", "{tail}", "Tails that are open."],
  tailDuration: ["duration", "tail.duration", "s", "How long tails were open."],
  missed: ["count", "notifications.missed", "{run}", "Changes that came without a notification."],
  connected: [
    "active",
    "notifications.up",
    "{connection}",
    "Connections for notifications that work.",
  ],
  disconnections: ["count", "notifications.lost", "{connection}", "Losses of such a connection."],
  downDuration: [
    "duration",
    "notifications.down.duration",
    "s",
    "How long such a connection was down.",
  ],
  reapedRuns: ["count", "reap.runs", "{run}", "Runs that were ended, since no worker had them."],
  purgedRuns: ["count", "purge.runs", "{run}", "Finished runs that were removed."],
  reapDuration: ["duration", "reap.duration", "s", "How long a reap took."],
  purgeDuration: ["duration", "purge.duration", "s", "How long a purge took."],
  activeStreams: ["active", "stream.active", "{stream}", "Live streams that are open."],
  endedStreams: ["count", "stream.ended", "{stream}", "Live streams that have ended."],
  refusedStreams: ["count", "stream.refused", "{stream}", "Live streams that were refused."],
  activeUploads: ["active", "upload.active", "{upload}", "NDJSON uploads under way."],
  uploadDuration: ["duration", "upload.duration", "s", "How long NDJSON uploads took."],
  refusals: ["count", "http.refusals", "{request}", "Requests that were answered 4xx or 5xx."],
} as const satisfies Readonly<Record<string, Metric>>;

type Instruments = Readonly<Record<keyof typeof METRICS, Instrument>>;
type Type = Diagnostic["type"];
type OfType<One extends Type> = Extract<Diagnostic, { readonly type: One }>;
type Recorder = (to: Instruments, diagnostic: Diagnostic) => void;
type Recorders = {
  readonly [One in Type]: (to: Instruments, diagnostic: OfType<One>) => void;
};

/**
 * The changes that each diagnostic makes in the metrics. Attributes have few values, so neither a run nor an owner is one of them.
 */
const RECORDERS: Recorders = {
  append(to, { ms, events, outcome }) {
    const isError = outcome !== "appended" && outcome !== "replayed";
    to.appendDuration(ms, outcomeAttributes(outcome, isError));
    if (outcome === "appended") to.appendedEvents(events);
  },
  append_group(to, { appends, queued, ms }) {
    to.groupDuration(ms);
    to.groupSize(appends);
    to.groupQueued(queued);
  },
  resend(to, { call, sends, ms, outcome }) {
    const attributes = { [CALL]: call, ...outcomeAttributes(outcome, outcome === "unknown") };
    to.resends(sends, attributes);
    to.resendDuration(ms, attributes);
  },
  work_begun(to, { ms }) {
    to.claimDuration(ms);
    to.activeWork(1);
  },
  work_ended(to, { ms, outcome }) {
    to.activeWork(-1);
    to.workDuration(ms, outcomeAttributes(outcome, isFailure(outcome)));
  },
  lease_lost: (to, { reason }) => to.lostLeases(1, { [REASON]: reason }),
  tail_opened: (to) => to.activeTails(1),
  tail_ended(to, { ms, outcome }) {
    to.activeTails(-1);
    const isError = outcome !== "finished" && outcome !== "left";
    to.tailDuration(ms, outcomeAttributes(outcome, isError));
  },
  notifications_up(to, { downMs }) {
    to.connected(1);
    if (downMs !== null) to.downDuration(downMs);
  },
  notifications_down(to, { reason }) {
    to.connected(-1);
    if (reason === "lost") to.disconnections(1);
  },
  notification_missed: (to, { foundBy, runs }) => to.missed(runs, { [FOUND_BY]: foundBy }),
  reap(to, { runs, ms, outcome }) {
    to.reapedRuns(runs);
    to.reapDuration(ms, outcomeAttributes(outcome, outcome !== "done"));
  },
  purge(to, { runs, ms, outcome }) {
    to.purgedRuns(runs);
    to.purgeDuration(ms, outcomeAttributes(outcome, outcome !== "done"));
  },
  stream_opened: (to) => to.activeStreams(1),
  stream_ended(to, { reason }) {
    to.activeStreams(-1);
    to.endedStreams(1, { [REASON]: reason });
  },
  stream_refused: (to, { reason }) => to.refusedStreams(1, { [REASON]: reason }),
  upload_opened: (to) => to.activeUploads(1),
  upload_ended(to, { ms, outcome }) {
    to.activeUploads(-1);
    to.uploadDuration(ms, outcomeAttributes(outcome, outcome !== "done"));
  },
  refusal(to, { method, route, status, code }) {
    to.refusals(1, {
      [METHOD]: method,
      ...(route !== null && { [ROUTE]: route }),
      [STATUS_CODE]: status,
      [ERROR_TYPE]: code,
    });
  },
};

/** Makes a function that records diagnostics in metrics. It ignores types that only a newer core has. */
export function createRecorder(meter: Meter): (diagnostic: Diagnostic) => void {
  const instruments = createInstruments(meter, METRICS);
  return (diagnostic) => {
    const record = RECORDERS[diagnostic.type] as Recorder | undefined;
    record?.(instruments, diagnostic);
  };
}
