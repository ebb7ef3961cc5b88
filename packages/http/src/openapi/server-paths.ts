import { empty, json, type Json, problems } from "./operation.ts";

const tags = ["reference server"];

function plain(description: string, type = "text/plain"): Json {
  return { description, content: { [type]: { schema: { type: "string" } } } };
}

/** The paths of the reference server itself. @see clauses W29 and W30 in `WIRE.md` */
export const SERVER_PATHS: Readonly<Record<string, Json>> = {
  "/v1/session": {
    post: {
      tags,
      operationId: "signIn",
      summary: "Opens a session for a bearer token (W29)",
      security: [{ bearer: [] }],
      responses: {
        204: empty("The cookie `run_events_session`; over https `__Host-run_events_session`.", {
          "Set-Cookie": { schema: { type: "string" } },
        }),
        ...problems("unauthenticated"),
      },
    },
    get: {
      tags,
      operationId: "getSession",
      summary: "Who the caller is, and until when (W29)",
      responses: { 200: json("The caller.", "Session"), ...problems("unauthenticated") },
    },
    delete: {
      tags,
      operationId: "signOut",
      summary: "Ends the session (W29)",
      responses: {
        204: empty("The cookie was removed.", { "Set-Cookie": { schema: { type: "string" } } }),
        ...problems("unauthenticated", "cross_site_request"),
      },
    },
  },
  "/healthz": {
    get: {
      tags,
      operationId: "getHealth",
      summary: "The process is up (W30)",
      security: [],
      responses: { 200: plain("The process is up.") },
    },
  },
  "/readyz": {
    get: {
      tags,
      operationId: "getReadiness",
      summary: "The store answers, and the server does not shut down (W30)",
      security: [],
      responses: { 200: plain("Ready."), ...problems("store_unavailable", "internal") },
    },
  },
  "/metrics": {
    get: {
      tags,
      operationId: "getMetrics",
      summary: "Counters, as Prometheus reads them (W30)",
      security: [],
      responses: { 200: plain("Prometheus text, format 0.0.4.") },
    },
  },
  "/": {
    get: {
      tags,
      operationId: "getConsole",
      summary: "The console (W30)",
      security: [],
      responses: { 200: plain("A page for browsers.", "text/html") },
    },
  },
};
