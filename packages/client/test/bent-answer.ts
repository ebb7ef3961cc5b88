import type { ServerResponse } from "node:http";
import fc from "fast-check";

/** An answer that is wrong in one place. */
export interface Lie {
  /** Which member or item of the answer is replaced. */
  readonly place: number;
  readonly odd: unknown;
  /** The status. From 400 on, the answer is a refusal that is wrong in that place. */
  readonly status: number;
  /** Text that is sent instead of the JSON, or after the frames of a stream. */
  readonly text: string | null;
}

const ODD: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  0,
  1,
  2,
  7,
  1.5,
  2 ** 53,
  2 ** 53 + 2,
  1e308,
  "",
  "1",
  "x",
  "completed",
  "running",
  "waiting",
  "no_such_status",
  "run_event",
  "error",
  "feed_version",
  [],
  {},
  [null],
  [[]],
  { a: 1 },
  [{ sequence: 1 }],
  { sequence: 9, eventType: "A" },
  "constructor",
  "2026-01-31T08:00:00.000Z",
  "+275760-09-13T00:00:00.001Z",
  "\u0000",
];
const STATUS = [201, 204, 400, 401, 404, 408, 409, 413, 422, 429, 500, 503];
const TEXTS = ["", "null", "7", "<p>", "[", '{"a":', "1e999", "[".repeat(9_999)];

export const lie: fc.Arbitrary<Lie> = fc.record({
  place: fc.nat({ max: 60 }),
  odd: fc.constantFrom(...ODD),
  status: fc.oneof({ weight: 4, arbitrary: fc.constant(200) }, fc.constantFrom(...STATUS)),
  text: fc.option(fc.constantFrom(...TEXTS), { freq: 2 }).map((one) => one),
});

const PROBLEM = {
  code: "store_unavailable",
  detail: "Why.",
  lastSequence: 3,
  runStatus: "running",
  expiresAt: "soon",
  runId: "a",
  retryAfterMs: 1,
};

/** The value, changed in one place. `undefined` removes a member. */
function bend(value: unknown, { place, odd }: Lie): unknown {
  const places: (readonly [holder: Record<string, unknown>, name: string])[] = [];
  const root: Record<string, unknown> = { value: structuredClone(value) };
  const visit = (holder: Record<string, unknown>): void => {
    for (const [name, inner] of Object.entries(holder)) {
      places.push([holder, name]);
      if (typeof inner === "object" && inner !== null) visit(inner as Record<string, unknown>);
    }
  };
  visit(root);
  const [holder, name] = places[place % places.length] ?? [root, "value"];
  holder[name] = odd;
  return root["value"];
}

/**
 * Sends an answer, bent by a lie if there is one.
 * @param honest the JSON of the honest answer, or the list of a stream's frames; `null` for no body
 */
export function sendBent(
  response: ServerResponse,
  honest: unknown,
  isStream: boolean,
  bent: Lie | undefined,
): void {
  const status = bent?.status ?? (honest === null ? 204 : 200);
  const text = (value: unknown): string =>
    JSON.stringify(bent === undefined ? value : bend(value, bent)) ?? "";
  if (status >= 400) {
    const headers = { "content-type": "application/problem+json", "retry-after": "0" };
    response.writeHead(status, headers).end(text(PROBLEM));
  } else if (status === 204) response.writeHead(204).end();
  else if (isStream) {
    response.writeHead(status, { "content-type": "text/event-stream" });
    const frames = JSON.parse(text(honest) || "null") as unknown;
    const data = [frames].flat().map((frame) => JSON.stringify(frame));
    if (bent?.text != null) data.push(bent.text);
    response.end(data.map((one) => `data: ${one}\n\n`).join(""));
  } else {
    const headers = { "content-type": "application/json", "run-retention": "60" };
    response.writeHead(status, headers).end(bent?.text ?? text(honest));
  }
}
