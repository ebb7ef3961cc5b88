import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  afterArrival,
  afterLoss,
  bestRoute,
  type Loss,
  type Route,
  type Transport,
} from "../src/follow/route.ts";

type Step = { readonly loss: Loss } | "fruit";

const best: fc.Arbitrary<Transport> = fc.constantFrom("stream", "long_poll");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant("fruit" as const),
  fc.record({ loss: fc.constantFrom<Loss>("away", "empty", "held_back", "cut", "full") }),
);

function walk(from: Transport, steps: readonly Step[], now = 0): readonly Route[] {
  let route = bestRoute(from);
  return steps.map(
    (one) => (route = one === "fruit" ? afterArrival(route) : afterLoss(route, one.loss, now)),
  );
}

describe("laws of the route", () => {
  it("a server that does not answer, or breaks off an answer, does not change the transport", () => {
    const lost = fc.record({ loss: fc.constantFrom<Loss>("away", "cut") });
    fc.assert(
      fc.property(best, fc.array(lost), (from, losses) => {
        for (const route of walk(from, losses)) expect(route.transport).toBe(from);
      }),
    );
  });

  it("a worse transport that brings nothing is left for the best, unless the server is full", () => {
    fc.assert(
      fc.property(best, fc.array(step), (from, steps) => {
        const routes = walk(from, steps);
        for (const [index, route] of routes.entries()) {
          const next = steps[index + 1];
          if (next === undefined || next === "fruit" || route.isProven) continue;
          if (next.loss === "full") continue;
          if (route.transport !== from) expect(routes[index + 1]).toEqual(bestRoute(from));
        }
      }),
    );
  });

  it("W28: a full server is asked over the next worse transport, down to the last", () => {
    fc.assert(
      fc.property(best, fc.array(step), (from, steps) => {
        const route = walk(from, steps).at(-1) ?? bestRoute(from);
        const next = { stream: "long_poll", long_poll: "poll", poll: "poll" } as const;
        expect(afterLoss(route, "full", 0).transport).toBe(next[route.transport]);
      }),
    );
  });

  it("a transport gets worse by one, only after three empty attempts in a row, one held back or a full server", () => {
    const order: readonly Transport[] = ["stream", "long_poll", "poll"];
    fc.assert(
      fc.property(best, fc.array(step), (from, steps) => {
        let empty = 0;
        let before = bestRoute(from);
        for (const [index, route] of walk(from, steps).entries()) {
          const one = steps[index];
          if (one === "fruit" || one === undefined) empty = 0;
          else if (one.loss === "empty") empty += 1;
          if (order.indexOf(route.transport) > order.indexOf(before.transport)) {
            expect(order.indexOf(route.transport) - order.indexOf(before.transport)).toBe(1);
            const isAtOnce = one !== "fruit" && /^(held_back|full)$/.test(one?.loss ?? "");
            expect(isAtOnce || empty >= 3).toBe(true);
          }
          if (route.transport !== before.transport) empty = 0;
          before = route;
        }
      }),
    );
  });

  it("the best transport is tried again five minutes after it was left, and not sooner", () => {
    fc.assert(
      fc.property(best, fc.array(step), fc.nat(1_000_000), (from, steps, now) => {
        for (const { transport, probeAt } of walk(from, steps, now)) {
          expect(probeAt).toBe(transport === from ? Infinity : now + 300_000);
        }
      }),
    );
  });
});
