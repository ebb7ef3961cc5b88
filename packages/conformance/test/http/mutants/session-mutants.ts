import type { ServerMutant } from "./server-mutant.ts";

/** Servers whose sessions over https are wrong. */
export const sessionMutants: readonly ServerMutant[] = [
  {
    name: "calls the cookie of a session over https as over http",
    clause: "W29",
    sessions: { cookie: (text) => text.replace("__Host-", "") },
  },
  {
    name: "calls the cookie of a session by another name",
    clause: "W29",
    sessions: { cookie: (text) => text.replace("run_events_session", "sid") },
  },
  {
    name: "leaves Secure out of a cookie with __Host-",
    clause: "W29",
    sessions: { cookie: (text) => text.replace("; Secure", "") },
  },
  {
    name: "gives a cookie with __Host- a domain",
    clause: "W29",
    sessions: { cookie: (text) => `${text}; Domain=memory.example` },
  },
  {
    name: "lets scripts read the cookie of a session",
    clause: "W29",
    sessions: { cookie: (text) => text.replace("; HttpOnly", "") },
  },
  { name: "takes a session that was ended", clause: "W29", sessions: { keeps: true } },
];
