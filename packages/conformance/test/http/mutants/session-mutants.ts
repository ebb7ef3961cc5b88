import type { ServerMutant } from "./server-mutant.ts";

/** Servers whose sessions over https are wrong. */
export const sessionMutants: readonly ServerMutant[] = [
  {
    name: "calls the cookie of a session over https as over http",
    clause: "W29",
    sessions: { cookie: (text) => text.replace("__Host-", "") },
  },
  { name: "takes a session that was ended", clause: "W29", sessions: { keeps: true } },
];
