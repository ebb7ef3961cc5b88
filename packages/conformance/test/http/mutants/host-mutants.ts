import type { ServerBreakage } from "../memory-server.ts";
import {
  answerWith,
  mapAnswers,
  mapStreamHeaders,
  type PlainAnswer,
  type ServerMutants,
  withBody,
} from "./server-mutant.ts";

/** Every answer at this path passes through `change`. */
function mapPath(path: string, change: (answer: PlainAnswer) => Response | null): ServerBreakage {
  return mapAnswers((answer) =>
    new URL(answer.request.url).pathname === path ? change(answer) : null,
  );
}

/** Servers with wrong health, metrics or description, or that treat pages of other origins wrongly. */
export const hostMutants: ServerMutants = {
  "leaves the live stream out of its description (W30)": mapPath("/openapi.json", (answer) =>
    withBody(answer, answer.text.replace("/{runId}/stream", "/{runId}/live")),
  ),
  "answers /readyz to its users only (W30)": mapPath("/readyz", ({ request, headers }) =>
    request.headers.has("authorization") ? null : new Response("", { status: 401, headers }),
  ),
  "has no page (W30)": mapPath("/", (answer) => withBody(answer, "It works.\n")),
  "names runs in its metrics (W30)": {
    wrap(fetch) {
      let runId = "none";
      const named = mapAnswers((answer) => {
        const { runId: created } = answer.json;
        if (typeof created === "string") runId = created;
        if (!answer.request.url.endsWith("/metrics")) return null;
        return withBody(answer, `${answer.text}run_sequence{run="${runId}"} 1\n`);
      });
      return named.wrap?.(fetch) ?? fetch;
    },
  },
  "takes no change from an origin on its list (W5)": mapAnswers(({ request, headers }) =>
    request.method === "POST" &&
    request.headers.has("cookie") &&
    request.headers.get("origin") === "https://app.example"
      ? new Response(null, { status: 403, headers })
      : null,
  ),
  "lets no page read its refusals (W5)": mapAnswers((answer) =>
    answer.status >= 400 ? answerWith(answer, { "access-control-allow-origin": null }) : null,
  ),
  "lets pages of every origin read (W5)": mapAnswers((answer) => {
    const origin = answer.request.headers.get("origin");
    if (origin === null || answer.status !== 200) return null;
    return answerWith(answer, { "access-control-allow-origin": origin });
  }),
  "forgets idempotency keys when a browser asks what it may send (W5)": mapAnswers((answer) =>
    answer.request.method === "OPTIONS"
      ? answerWith(answer, { "access-control-allow-headers": "Authorization, Content-Type" })
      : null,
  ),
  "lets pages of every origin have the stream (W19)": mapStreamHeaders((headers) => {
    if (headers.has("access-control-allow-origin")) {
      headers.set("access-control-allow-origin", "*");
    }
  }),
};
