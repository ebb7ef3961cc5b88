import type { ServerMutants } from "./server-mutant.ts";

/** Servers whose sessions over https are wrong. */
export const sessionMutants: ServerMutants = {
  "calls the cookie of a session over https as over http (W29)": {
    sessions: { cookie: (text) => text.replace("__Host-", "") },
  },
  "takes a session that was ended (W29)": { sessions: { keeps: true } },
};
