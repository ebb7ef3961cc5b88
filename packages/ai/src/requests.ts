import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";

/** The most bytes of a body: 64 MiB. A page of the AI SDK sends all messages of a chat, with their files. */
const MOST_BODY_BYTES = 67_108_864;

/** The statuses of the refusals. Any other error is thrown to the host. */
const STATUSES: Partial<Record<RunEventsErrorCode, number>> = {
  invalid_request: 400,
  unauthenticated: 401,
  not_found: 404,
  topic_busy: 409,
  run_finished: 409,
  claimed: 409,
  payload_too_large: 413,
  idempotency_key_reused: 422,
  // The process hung for longer than its lease, so nothing was recorded. Another process may succeed.
  fenced: 503,
  store_unavailable: 503,
};

/** JSON that no cache keeps. */
export function noStore(value: unknown): Response {
  return Response.json(value, { headers: { "cache-control": "private, no-store" } });
}

/** A refusal of a request. */
export function refusal(code: RunEventsErrorCode, message: string): RunEventsError {
  return new RunEventsError(code, message);
}

/**
 * The response to a refusal, as `application/problem+json`.
 * @throws any other error
 */
export function refused(error: unknown): Response {
  const status = error instanceof RunEventsError ? STATUSES[error.code] : undefined;
  if (!(error instanceof RunEventsError) || status === undefined) throw error;
  const { code, message, details } = error;
  const headers = {
    "content-type": "application/problem+json",
    "cache-control": "private, no-store",
    ...(status === 503 && { "retry-after": "1" }),
  };
  return Response.json({ ...details, status, code, detail: message }, { status, headers });
}

/**
 * The id and the call that a path under `api` names: `send` for `api` itself, and `messages` for an id alone. A slash at the end of either
 * is ignored: some hosts add it.
 */
export function parsePath(path: string, api: string): readonly [id: string, call: string] {
  const [base, asked] = [api, path].map((one) => one.replace(/\/$/, "")) as [string, string];
  if (asked === base) return ["", "send"];
  const rest = asked.startsWith(`${base}/`) ? asked.slice(base.length + 1) : "";
  const [, id = "", call = "messages"] = /^([^/]+)(?:\/(stream|stop))?$/.exec(rest) ?? [];
  if (id === "") return ["", ""];
  try {
    return [decodeURIComponent(id), call];
  } catch {
    throw refusal(
      "invalid_request",
      "Expected an id in the path, got a broken escape. Encode it with `encodeURIComponent`.",
    );
  }
}

/**
 * Checks an id that a request sends in its body.
 * @throws RunEventsError `invalid_request` for dots alone: a path with them is another path, even if they are escaped
 */
export function checkPathId(id: string): string {
  if (id !== "." && id !== "..") return id;
  throw refusal(
    "invalid_request",
    "Expected an id other than `.` and `..`, got one of them. Choose another id.",
  );
}

/**
 * The JSON value that a request sends; `null` if it sends none.
 * @throws RunEventsError `payload_too_large` for more than 64 MiB; `invalid_request` if the host has read the body before
 */
export async function readJson(request: Request): Promise<unknown> {
  const isJson = /^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "");
  if (!isJson) return null;
  if (request.bodyUsed || request.body?.locked === true) throw bodyTaken();
  let text: string;
  try {
    text = await readText(request);
  } catch (error) {
    if (error instanceof RunEventsError) throw error;
    return null;
  }
  if (text === "" && Number(request.headers.get("content-length")) > 0) throw bodyTaken();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A mistake of the host. Hosts answer thrown errors with 500 and show nothing, so the page has to show it. */
function bodyTaken(): RunEventsError {
  return refusal(
    "invalid_request",
    "Expected the body of the request, got one that this server has read before. Mount the routes before body parsers.",
  );
}

/** The text of a body. A host that has no bound of its own would keep a body of any size in memory. */
async function readText({ body, headers }: Request): Promise<string> {
  if (Number(headers.get("content-length")) > MOST_BODY_BYTES) throw bodyTooLarge();
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let text = "";
  let bytes = 0;
  for (;;) {
    const value = (await reader?.read())?.value;
    if (value === undefined) return text + decoder.decode();
    bytes += value.length;
    if (bytes > MOST_BODY_BYTES) {
      const error = bodyTooLarge();
      reader?.cancel(error).catch(() => {});
      throw error;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function bodyTooLarge(): RunEventsError {
  return refusal(
    "payload_too_large",
    `Expected a body of ${MOST_BODY_BYTES} bytes at most, got more. Store large files elsewhere, and send their URLs.`,
  );
}
