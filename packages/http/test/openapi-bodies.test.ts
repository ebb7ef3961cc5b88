import { expect, it } from "vitest";
import { type Call, post } from "./harness/answer.ts";
import { fits, schemaOf } from "./harness/described.ts";
import { nextFenceOf, STILL } from "./harness/next-fence.ts";
import { openWorld } from "./harness/world.ts";

it("W9, W30, W31, W34: the document accepts the bodies that the server accepts, and no others", async () => {
  await using world = await openWorld("Request to Response", STILL);
  const runId = await world.record();
  const fence = await nextFenceOf(world, runId);
  const run = `/v1/agent-runs/${runId}`;
  const events = [{ eventType: "NOTE" }];
  const to =
    (path: string, method = "POST") =>
    (body: unknown): Call => ({ ...post(path, body), method });
  const claim = `${run}/claim`;
  const lasting = { leaseMs: 1_000 };
  const bodies: readonly (readonly [string, (body: unknown) => Call, readonly unknown[]])[] = [
    [
      "AppendEvents",
      to(`${run}/events`),
      [
        { events },
        { events: [{ eventType: "NOTE", payload: { a: [null] } }], expectedSequence: 1 },
        { events: [] },
        { events: [{}] },
        { events: [{ eventType: "note" }] },
        { events: [{ eventType: "INPUT_RECEIVED" }] },
        { events: [{ eventType: "UI_CHUNKS", payload: [] }] },
        { events: [{ eventType: "INPUT_REQUESTED" }] },
        { events: [{ eventType: "NOTE", extra: 1 }] },
        { events, extra: 1 },
        { events, expectedSequence: -1 },
        ...["1", null].map((expectedSequence) => ({ events, expectedSequence })),
        { events: Array(1_001).fill(events[0]) },
        [],
        null,
      ],
    ],
    [
      "Input",
      to(`${run}/input`),
      [
        {},
        { payload: [{ a: 1.5 }] },
        { expectedSequence: "1" },
        { payload: 1, expectedSequence: -1 },
        { input: 1 },
        [],
        null,
      ],
    ],
    // The last of each is right: it leaves a lease for the next.
    [
      "ClaimRun",
      to(claim),
      [
        ...[999, 1_000.5, "1000", 3_600_001].map((leaseMs) => ({ leaseMs })),
        { ...lasting, fence },
        {},
        [],
        { leaseMs: 3_600_000 },
      ],
    ],
    [
      "RenewLease",
      to(claim, "PUT"),
      [
        ...[0, 1.5, "1", null].map((bad) => ({ ...lasting, fence: bad })),
        { fence },
        lasting,
        { ...lasting, fence, extra: 1 },
        { ...lasting, fence },
      ],
    ],
    [
      "ReleaseRun",
      to(claim, "DELETE"),
      [{}, { fence: -1 }, { fence: null }, { ...lasting, fence }, { fence }],
    ],
    [
      "CreateRun",
      to("/v1/agent-runs"),
      [
        {},
        { runId: "a" },
        { runId: "a b" },
        { runId: 1 },
        { owner: 1 },
        [],
        ...[null, "tea", " ", "\u{1f375}".repeat(200), "\u2028"].map((topic) => ({ topic })),
        ...["", "x".repeat(201), "\u{1f375}".repeat(201)].map((topic) => ({ topic })),
        ...["a\n", "\0", "\u007f", "\u0085", "\ud83c", 7, true, [], ["a"], {}].map((topic) => ({
          topic,
        })),
        ...[null, 1].map((exclusive) => ({ topic: "milk", exclusive })),
        { runId: null },
        { metadata: null },
      ],
    ],
  ];
  for (const [schema, callOf, all] of bodies) {
    for (const body of all) {
      const { status } = await world.send(callOf(body));
      const valid = (fits(schemaOf(schema), body) as readonly unknown[]).length === 0;
      expect([schema, body, status < 300]).toEqual([schema, body, valid]);
    }
  }
});
