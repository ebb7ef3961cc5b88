import fc from "fast-check";
import { LISTED_OWNER, type RaceClaim } from "./race.ts";
import { ALL_RUNS, type Theme } from "./race-arbitrary.ts";
import * as steps from "./step-arbitrary.ts";

const { appends, batches, claim, conditional, create, end, head, input, place } = steps;
const { ofAny, ofFirst, read, release, renewal, request, weighted } = steps;

/** Appends without conditions: each lands. */
export const PLAIN: Theme = {
  begins: ALL_RUNS,
  step: weighted(
    [3, appends(request({ eventTypes: fc.constantFrom(["TOKEN"], ["TOKEN", "TOKEN"]) }), 3)],
    [1, read],
    [1, head],
  ),
};

/** Appends, and readers that have to see them. */
export const SEEN: Theme = {
  begins: ALL_RUNS,
  step: weighted([1, appends(request({}))], [1, read], [2, head]),
};

/** Batches, which every process has to see whole. */
export const BATCHES: Theme = {
  begins: ALL_RUNS,
  step: ofFirst(weighted([1, appends(request({ eventTypes: batches }))], [1, read], [2, head])),
};

/** Races for a sequence, a key, the end, the lease. */
export const CONTENDED: Theme = {
  begins: ALL_RUNS,
  step: weighted(
    [4, appends(conditional)],
    [1, appends(end(["owner", "worker"]))],
    [2, claim("brief", "long")],
    [1, renewal],
    [1, release],
    [1, head],
  ),
};

const OWN_CLAIMS: readonly RaceClaim[] = [
  { claimKey: "own", length: "long" },
  { claimKey: "own", length: "brief" },
];

/** Exclusive runs of one topic with a claim, and what becomes of them. */
export const STARTS: Theme = {
  begins: fc.constant([]),
  step: ofAny(
    weighted(
      [4, place({ claim: fc.constantFrom(...OWN_CLAIMS) })],
      [2, appends(request({ by: fc.constant("worker") }))],
      [2, appends(end(["owner", "owner", "worker"]))],
      [2, steps.removal],
      [1, head],
      [1, steps.list()],
    ),
  ),
};

/** Appends that may be sent again, since each has a key. */
export const KEYED: Theme = {
  begins: ALL_RUNS,
  step: weighted(
    [4, appends(request({ eventTypes: batches, key: fc.constant("own") }))],
    [1, read],
  ),
};

const working = request({
  eventTypes: fc.constantFrom(["TOKEN"], ["INPUT_REQUESTED", "TOKEN"], ["INPUT_REQUESTED"]),
  by: fc.constant("worker"),
  key: fc.constantFrom(null, "own"),
});

/** Workers that ask under their fences and give the run back, and persons who answer. */
export const DIALOGUES: Theme = {
  begins: ALL_RUNS,
  step: ofAny(
    weighted(
      [3, claim("brief")],
      [7, appends(working)],
      [5, appends(input("own"))],
      [1, renewal],
      [1, release],
      [1, read],
      [1, head],
    ),
  ),
};

/** Runs that workers leave or give back, and processes that look for them. */
export const UPKEEP: Theme = {
  begins: ALL_RUNS,
  step: ofAny(
    weighted(
      [6, claim("brief")],
      [1, claim("long")],
      [8, release],
      [2, appends(working)],
      [1, steps.ending],
      [3, steps.due],
      [1, steps.removal],
      [2, create({ ownerId: fc.constant(LISTED_OWNER), topic: fc.constant(null) })],
    ),
  ),
};
