import {
  eachFrame,
  encodeFrame,
  isTerminalEvent,
  leafOf,
  mapFrames,
  mapStreamHeaders,
  runOf,
  sequenceIn,
  type ServerMutants,
  withHeaders,
} from "./server-mutant.ts";

/** Servers whose streams are wrong. */
export const streamMutants: ServerMutants = {
  "lets caches and compressors have the stream (W21)": mapStreamHeaders((headers) =>
    headers.set("cache-control", "no-cache"),
  ),
  "sends nothing before the first event (W21)": mapFrames(() => {
    let held = "";
    return ({ text, message }) => {
      if (message["type"] === "connected") held = text;
      const all = message["type"] === "connected" ? [] : [held + text];
      if (all.length > 0) held = "";
      return all;
    };
  }),
  "writes U+2028 as it is (W1)": eachFrame(({ text }) => [text.replaceAll("\\u2028", "\u2028")]),
  "announces the end in a status frame (W23)": eachFrame((frame) => {
    const state = { currentPhase: null, lastSequence: sequenceIn(frame) };
    const early = encodeFrame({ type: "status", runStatus: "completed", ...state });
    return isTerminalEvent(frame) ? [frame.text, early] : [frame.text];
  }),
  // Only a run that waits has such a frame.
  "shows in a status frame what has not been sent yet (W38)": eachFrame(({ text, message }) => [
    message["type"] === "status"
      ? text.replace(/"lastSequence":(\d+)/, '"lastSequence":9$1')
      : text,
  ]),
  "sends the last event again after a reader has caught up (W23)": mapFrames(() => {
    let again = 0;
    return (frame) => {
      const { type, lastSequence } = frame.message;
      if (type === "connected") again = Number(lastSequence);
      return again > 0 && sequenceIn(frame) === again ? [frame.text, frame.text] : [frame.text];
    };
  }),
  "lets readers come back at once (W22)": eachFrame(({ text }) => [
    text.replace(/^retry: \d{4}$/m, "retry: 100"),
  ]),
  "sends no change of phase (W22)": eachFrame(({ text, message }) =>
    message["type"] === "status" && message["currentPhase"] !== null ? [] : [text],
  ),
  "goes on with a reader that has had the end (W24)": {
    wrap: (fetch) => async (request) => {
      const kept = request.clone();
      const response = await fetch(request);
      if (response.status !== 204 || leafOf(request.url) !== "/stream") return response;
      const { lastSequence } = await runOf(fetch, kept);
      return fetch(withHeaders(kept, { "last-event-id": String(lastSequence) }));
    },
  },
  "sends run_finished twice (W22)": eachFrame(({ text, message }) =>
    message["type"] === "run_finished" ? [text, text] : [text],
  ),
  "gives frames a name (W22)": eachFrame(({ text, message }) => [
    `event: ${String(message["type"])}\n${text}`,
  ]),
};
