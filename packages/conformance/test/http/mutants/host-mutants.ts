import {
  mapAnswers,
  mapStreamHeaders,
  type PlainAnswer,
  type ServerMutant,
  withBody,
} from "./server-mutant.ts";

/** Every answer at this path passes through `change`. */
function mapPath(
  path: string,
  change: (answer: PlainAnswer) => Response | null,
): Pick<ServerMutant, "wrap"> {
  return mapAnswers((answer) =>
    new URL(answer.request.url).pathname === path ? change(answer) : null,
  );
}

/** The answer with one header changed; `null` takes it away. */
function withHeader(answer: PlainAnswer, name: string, value: string | null): Response {
  const headers = new Headers(answer.headers);
  if (value === null) headers.delete(name);
  else headers.set(name, value);
  return new Response(answer.status === 204 ? null : answer.text, {
    status: answer.status,
    headers,
  });
}

/** Servers with wrong health, metrics or description, or that treat pages of other origins wrongly. */
export const hostMutants: readonly ServerMutant[] = [
  {
    name: "leaves the live stream out of its description",
    clause: "W30",
    ...mapPath("/openapi.json", (answer) =>
      withBody(answer, answer.text.replace("/{runId}/stream", "/{runId}/live")),
    ),
  },
  {
    name: "answers /readyz to its users only",
    clause: "W30",
    ...mapPath("/readyz", ({ request, headers }) =>
      request.headers.has("authorization") ? null : new Response("", { status: 401, headers }),
    ),
  },
  {
    name: "has the type of a metric after its samples",
    clause: "W30",
    ...mapPath("/metrics", (answer) =>
      withBody(answer, `${answer.text}# TYPE streams_open gauge\n`),
    ),
  },
  {
    name: "has no page",
    clause: "W30",
    ...mapPath("/", (answer) => withBody(answer, "It works.\n")),
  },
  {
    name: "names runs in its metrics",
    clause: "W30",
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
  {
    name: "takes no change from an origin on its list",
    clause: "W5",
    ...mapAnswers(({ request, headers }) =>
      request.method === "POST" &&
      request.headers.has("cookie") &&
      request.headers.get("origin") === "https://app.example"
        ? new Response(null, { status: 403, headers })
        : null,
    ),
  },
  {
    name: "lets no page read its refusals",
    clause: "W5",
    ...mapAnswers((answer) =>
      answer.status >= 400 ? withHeader(answer, "access-control-allow-origin", null) : null,
    ),
  },
  {
    name: "lets pages of every origin read",
    clause: "W5",
    ...mapAnswers((answer) => {
      const origin = answer.request.headers.get("origin");
      if (origin === null || answer.status !== 200) return null;
      return withHeader(answer, "access-control-allow-origin", origin);
    }),
  },
  {
    name: "forgets idempotency keys when a browser asks what it may send",
    clause: "W5",
    ...mapAnswers((answer) =>
      answer.request.method === "OPTIONS"
        ? withHeader(answer, "access-control-allow-headers", "Authorization, Content-Type")
        : null,
    ),
  },
  {
    name: "lets pages of every origin have the stream",
    clause: "W19",
    ...mapStreamHeaders((headers) => {
      if (headers.has("access-control-allow-origin")) {
        headers.set("access-control-allow-origin", "*");
      }
    }),
  },
];
