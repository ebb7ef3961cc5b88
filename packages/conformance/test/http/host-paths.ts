import type { HandlerStats } from "@tm/run-events-http";

/** The paths of a host: what the reference server has besides its runs. `null` for any other. @see clause W30 in `WIRE.md` */
export function answerHostPath({ method, url }: Request, stats: HandlerStats): Response | null {
  if (method !== "GET") return null;
  switch (new URL(url).pathname) {
    case "/healthz":
    case "/readyz":
      return answer("ok\n", "text/plain");
    case "/metrics":
      return answer(encodeMetrics(stats), "text/plain; version=0.0.4");
    case "/":
      return answer("<!doctype html>\n<title>Runs</title>\n", "text/html; charset=utf-8");
    default:
      return null;
  }
}

function answer(body: string, type: string): Response {
  return new Response(body, { headers: { "content-type": type } });
}

function encodeMetrics({ streams, waiting }: HandlerStats): string {
  const ended = Object.entries(streams.ended);
  return [
    "# HELP streams_open Live streams that are open.",
    "# TYPE streams_open gauge",
    `streams_open ${streams.open}`,
    "# TYPE streams_ended_total counter",
    ...ended.map(([how, count]) => `streams_ended_total{how="${how}"} ${count}`),
    "# TYPE polls_waiting gauge",
    `polls_waiting ${waiting}`,
    "",
  ].join("\n");
}
