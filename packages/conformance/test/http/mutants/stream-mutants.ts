import {
  encodeFrame,
  isTerminalEvent,
  leafOf,
  mapFrames,
  mapStreamHeaders,
  type PlainFrame,
  runOf,
  sequenceIn,
  type ServerMutant,
} from "./server-mutant.ts";

/** Frames that are changed one by one. */
function eachFrame(change: (frame: PlainFrame) => readonly string[]): Pick<ServerMutant, "wrap"> {
  return mapFrames(() => change);
}

/** Servers whose streams are wrong. */
export const streamMutants: readonly ServerMutant[] = [
  {
    name: "lets caches and compressors have the stream",
    clause: "W21",
    ...mapStreamHeaders((headers) => headers.set("cache-control", "no-cache")),
  },
  {
    name: "sends nothing before the first event",
    clause: "W21",
    ...mapFrames(() => {
      let held = "";
      return ({ text, message }) => {
        if (message["type"] === "connected") held = text;
        const all = message["type"] === "connected" ? [] : [held + text];
        if (all.length > 0) held = "";
        return all;
      };
    }),
  },
  {
    name: "writes U+2028 as it is",
    clause: "W1",
    ...eachFrame(({ text }) => [text.replaceAll("\\u2028", "\u2028")]),
  },
  {
    name: "announces the end in a status frame",
    clause: "W23",
    ...eachFrame((frame) => {
      const state = { currentPhase: null, lastSequence: sequenceIn(frame) };
      const early = encodeFrame({ type: "status", runStatus: "completed", ...state });
      return isTerminalEvent(frame) ? [frame.text, early] : [frame.text];
    }),
  },
  {
    name: "shows in a status frame what has not been sent yet",
    // Only a run that waits has such a frame.
    clause: "W38",
    ...eachFrame(({ text, message }) => [
      message["type"] === "status"
        ? text.replace(/"lastSequence":(\d+)/, '"lastSequence":9$1')
        : text,
    ]),
  },
  {
    name: "sends the last event again after a reader has caught up",
    clause: "W22",
    ...mapFrames(() => {
      let again = 0;
      return (frame) => {
        const { type, lastSequence } = frame.message;
        if (type === "connected") again = Number(lastSequence);
        return again > 0 && sequenceIn(frame) === again ? [frame.text, frame.text] : [frame.text];
      };
    }),
  },
  {
    name: "lets readers come back at once",
    clause: "W22",
    ...eachFrame(({ text }) => [text.replace(/^retry: \d{4}$/m, "retry: 100")]),
  },
  {
    name: "sends no change of phase",
    clause: "W22",
    ...eachFrame(({ text, message }) =>
      message["type"] === "status" && message["currentPhase"] !== null ? [] : [text],
    ),
  },
  {
    name: "goes on with a reader that has had the end",
    clause: "W24",
    wrap: (fetch) => async (request) => {
      const kept = request.clone();
      const response = await fetch(request);
      if (response.status !== 204 || leafOf(request.url) !== "/stream") return response;
      const { lastSequence } = await runOf(fetch, kept);
      const headers = new Headers(kept.headers);
      headers.set("last-event-id", String(lastSequence));
      return fetch(new Request(kept, { headers }));
    },
  },
  {
    name: "sends run_finished twice",
    clause: "W22",
    ...eachFrame(({ text, message }) =>
      message["type"] === "run_finished" ? [text, text] : [text],
    ),
  },
  {
    name: "gives frames a name",
    clause: "W22",
    ...eachFrame(({ text, message }) => [`event: ${String(message["type"])}\n${text}`]),
  },
];
