/** A script whose pages show runs with the hook: `show(element)` renders, and each `Run` reports its view. */
export const HOOK_SCRIPT = `
import { createElement, StrictMode, Suspense, use, useState } from "react";
import { createRoot } from "react-dom/client";
import { useRun } from "@tm/run-events-client/react";

const root = createRoot(document.querySelector("#root"));
/** Every view that was rendered. */
window.views = [];

function Run({ runId }) {
  const view = useRun(runId);
  views.push(view);
  const sequences = view.events.map(({ sequence }) => sequence);
  const isWhole = sequences.every((sequence, index) => sequence === index + 1);
  const text = [isWhole ? sequences.length : "disorder", view.state, view.error?.code ?? "-"].join(" ");
  return createElement("p", null, text);
}

function Late({ promise, runId }) {
  const view = useRun(runId);
  use(promise);
  return createElement("p", null, [view.events.length, view.state, "-"].join(" "));
}

window.show = (runId, count) =>
  root.render(
    createElement(
      StrictMode,
      null,
      Array.from({ length: count }, (_, key) => createElement(Run, { key, runId })),
    ),
  );
window.showLate = (runId) => {
  const { promise, resolve } = Promise.withResolvers();
  window.resolveLate = resolve;
  const fallback = createElement("i", null, "late");
  root.render(createElement(Suspense, { fallback }, createElement(Late, { promise, runId })));
};
`;
