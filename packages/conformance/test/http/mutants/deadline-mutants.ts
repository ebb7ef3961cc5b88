import { identify } from "../users.ts";
import {
  answerJson,
  eachFrame,
  leafOf,
  mapStreams,
  mapFrames,
  type ServerMutants,
} from "./server-mutant.ts";
import { createLockstep } from "./lockstep.ts";

/** Servers that keep time badly, with readers that are slow, or with their own end. */
export const deadlineMutants: ServerMutants = {
  "lets every reader of a run wait for the slowest (W25)": {
    wrap(fetch) {
      const lockstep = createLockstep();
      return mapStreams((body, { url }) => lockstep.join(url, body)).wrap?.(fetch) ?? fetch;
    },
  },
  "waits for a stalled reader without end (W25)": { settings: { stallMs: 900_000 } },
  "keeps answers for ever that the client does not read (W49)": { settings: { stallMs: 900_000 } },
  "sends nothing while nothing happens (W22)": mapFrames(() => {
    let shown = "";
    return ({ text, message }) => {
      if (message["runStatus"] === undefined) return [text];
      const state = JSON.stringify([message["runStatus"], message["currentPhase"]]);
      const isNew = state !== shown;
      shown = state;
      return message["type"] !== "status" || isNew ? [text] : [];
    };
  }),
  "goes on with a session that was ended (W26)": {
    settings: {
      authenticate: ({ headers }, wanted) =>
        identify(headers.get("authorization"), headers.get("cookie"), wanted),
    },
  },
  "lets streams grow old (W26)": { settings: { maxAgeMs: 9_000_000 } },
  "shuts down without a frame to its readers (W27)": eachFrame(({ text, message }) =>
    message["code"] === "draining" ? [] : [text],
  ),
  "acknowledges an append while it shuts down, and drops it (W27)": {
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
};
