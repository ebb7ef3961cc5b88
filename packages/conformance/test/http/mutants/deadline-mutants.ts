import { identify } from "../users.ts";
import { answerJson, leafOf, mapBodies, mapFrames, type ServerMutant } from "./server-mutant.ts";
import { createLockstep } from "./lockstep.ts";

/** Servers that keep time badly, with readers that are slow, or with their own end. */
export const deadlineMutants: readonly ServerMutant[] = [
  {
    name: "lets every reader of a run wait for the slowest",
    clause: "W25",
    wrap(fetch) {
      const lockstep = createLockstep();
      return mapBodies((body, { url }) => lockstep.join(url, body)).wrap?.(fetch) ?? fetch;
    },
  },
  {
    name: "waits for a stalled reader without end",
    clause: "W25",
    settings: { stallMs: 900_000 },
  },
  {
    name: "keeps answers for ever that the client does not read",
    clause: "W49",
    settings: { stallMs: 900_000 },
  },
  {
    name: "sends nothing while nothing happens",
    clause: "W22",
    ...mapFrames(() => {
      let shown = "";
      return ({ text, message }) => {
        if (message["runStatus"] === undefined) return [text];
        const state = JSON.stringify([message["runStatus"], message["currentPhase"]]);
        const isNew = state !== shown;
        shown = state;
        return message["type"] !== "status" || isNew ? [text] : [];
      };
    }),
  },
  {
    name: "goes on with a session that was ended",
    clause: "W26",
    settings: {
      authenticate: ({ headers }, wanted) =>
        identify(headers.get("authorization"), headers.get("cookie"), wanted),
    },
  },
  {
    name: "lets streams grow old",
    clause: "W26",
    settings: { maxAgeMs: 9_000_000 },
  },
  {
    name: "shuts down without a frame to its readers",
    clause: "W27",
    ...mapFrames(
      () =>
        ({ text, message }) =>
          message["code"] === "draining" ? [] : [text],
    ),
  },
  {
    name: "acknowledges an append while it shuts down, and drops it",
    clause: "W27",
    wrap(fetch) {
      let isGoing = false;
      const watched = mapFrames(() => ({ text, message }) => {
        if (message["code"] === "draining") isGoing = true;
        return [text];
      });
      const watching = watched.wrap?.(fetch) ?? fetch;
      return async (request) => {
        const isAppend = request.method === "POST" && leafOf(request.url) === "/events";
        if (!isGoing || !isAppend || !(await request.clone().text()).includes('"NOTE"')) {
          return watching(request);
        }
        const state = { runStatus: "running", currentPhase: null, replayed: false };
        return answerJson(201, { firstSequence: 1, lastSequence: 2, ...state });
      };
    },
  },
];
