import fc from "fast-check";
import type { AppendOutcome, AppendRequest } from "../../src/rules/append.ts";
import { appendRule } from "../../src/rules/append-rule.ts";
import type { NewEvent } from "../../src/rules/event.ts";
import { foldRules } from "../../src/rules/fold-rules.ts";
import { landOnce } from "../../src/rules/land-once.ts";
import { claimRule, releaseRule } from "../../src/rules/lease-rules.ts";
import type { Rule } from "../../src/rules/decision.ts";
import type { RunName } from "../../src/rules/head.ts";
import { createRule, removalRule } from "../../src/rules/run-rules.ts";
import type { RunEventStore } from "../../src/store/store.ts";

const WHATS = [
  "create",
  "exclusive",
  "plain",
  "keyed",
  "owner",
  "claim",
  "release",
  "start",
  "end",
  "remove",
  "two",
] as const;

/** One call to a store, about a run or several. */
export interface Call {
  readonly what: (typeof WHATS)[number];
  readonly name: RunName;
  readonly topic: string | null;
}

const newId = (): string => crypto.randomUUID();
const event = { eventType: "TOKEN", payload: '"é"', phase: null };
const ended = { ...event, eventType: "RUN_COMPLETED" };

/** Few runs, owners and topics, so that calls meet; texts that a key cannot hold as they are. */
export const calls: fc.Arbitrary<Call> = fc.record({
  what: fc.oneof(
    ...WHATS.map((what) => ({
      // The others need a run that exists.
      weight: what === "exclusive" || what === "end" || what === "remove" ? 5 : 2,
      arbitrary: fc.constant(what),
    })),
  ),
  name: fc.record({
    ownerId: fc.constantFrom("ada/l", "ünal"),
    runId: fc.constantFrom("a", "a", "b", "c"),
  }),
  topic: fc.constantFrom("tea & é", "tea & é", null),
});

function requestOf(
  name: RunName,
  events: readonly NewEvent[],
  idempotencyKey: string | null,
): AppendRequest {
  const appender = { by: "anybody" } as const;
  return { ...name, events, expectedSequence: null, idempotencyKey, appender };
}

/** Appends to a run that no worker has claimed. */
export async function append(
  store: RunEventStore,
  name: RunName,
  events: readonly NewEvent[],
  idempotencyKey: string | null = null,
): Promise<AppendOutcome | undefined> {
  const rule = appendRule(requestOf(name, events, idempotencyKey));
  const keys = idempotencyKey === null ? [] : [idempotencyKey];
  const [outcome] = await store.change([{ ...name, keys, decide: landOnce(rule, newId) }]);
  return outcome;
}

/** Makes the call. @returns what it answered */
export async function makeCall(
  store: RunEventStore,
  { what, name, topic }: Call,
): Promise<unknown> {
  const change = (rule: Rule<unknown>, more: object = {}): Promise<unknown> =>
    store.change([{ ...name, ...more, decide: landOnce(rule, newId) }]);
  const request = requestOf(name, [event], null);
  switch (what) {
    case "create":
      return change(createRule({ ...name, topic, metadata: '"m"' }));
    case "exclusive":
      return change(createRule({ ...name, topic: "tea & é", exclusive: true, metadata: "1" }), {
        topic: "tea & é",
      });
    case "plain":
    case "keyed":
      return append(
        store,
        name,
        [{ ...event, eventType: what === "keyed" ? "KEYED" : "TOKEN" }, event],
        what === "keyed" ? "key" : null,
      );
    case "claim":
      return change(claimRule({ ...name, leaseMs: 5 }));
    case "release":
      return store.change([
        {
          ...name,
          decide: (seen) =>
            landOnce(releaseRule({ ...name, fence: seen.head?.fence ?? 0 }), newId)(seen),
        },
      ]);
    case "start":
      return change(appendRule(request));
    case "owner":
      return change(appendRule({ ...request, appender: { by: "owner" } }));
    case "end":
      return change(
        foldRules([
          appendRule(request),
          appendRule({ ...request, events: [ended], appender: { by: "owner" } }),
        ]),
      );
    case "remove":
      return change(removalRule());
    case "two":
      return store.change(
        ["a", "b"].map((runId) => {
          const two = { ...name, runId };
          const request = { ...two, topic, exclusive: topic !== null, metadata: "2" };
          return { ...two, topic, decide: landOnce(createRule(request), newId) };
        }),
      );
  }
}
