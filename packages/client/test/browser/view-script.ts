/**
 * A script whose pages show runs with both hooks. `show(props)` renders a `Page` under StrictMode:
 *
 * - `runId`: a run, or null;
 * - `tail`: the option of a view; without it the view has all events;
 * - `fold`: whether a fold counts the events with a new function in each render;
 * - `all`: whether a second view has all events.
 */
export const VIEW_SCRIPT = `
import { createElement as h, StrictMode, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server.browser";
import { useRun, useRunFold } from "@tm/run-events-client/react";

const element = document.querySelector("#root");
let root;
/** Every view that was rendered. */
window.views = [];
/** Every sequence that was folded, over all runs. */
window.folded = [];
/** How often a fold was rendered. */
window.foldRenders = 0;
window.complaints = [];

const textOf = ({ events, state, hasEarlier, isCancelling, error, cancelError }) =>
  [
    events.length === 0 ? "-" : events[0].sequence + "-" + events.at(-1).sequence,
    state,
    hasEarlier ? "more" : "whole",
    isCancelling ? "cancelling" : (error ?? cancelError)?.code ?? "-",
  ].join(" ");

function View({ id, runId, ...options }) {
  const view = useRun(runId, options);
  views.push({ id, ...view });
  return h("div", null,
    h("p", { id }, textOf(view)),
    h("button", { id: id + "-earlier", onClick: view.loadEarlier }, "Earlier"),
    h("button", { id: id + "-cancel", onClick: view.cancel, disabled: view.isCancelling }, "Cancel"),
  );
}

function Fold({ runId }) {
  const [count, setCount] = useState(0);
  window.renderFold = () => setCount((old) => old + 1);
  foldRenders += 1;
  const sum = useRunFold(runId, 0, (value, { sequence }) => {
    folded.push(sequence);
    return value + sequence;
  });
  return h("p", { id: "fold" }, String(sum));
}

function Page({ fold, all, ...props }) {
  return h(StrictMode, null,
    h(View, { id: "view", ...props }),
    all && h(View, { id: "all", runId: props.runId }),
    fold && h(Fold, { runId: props.runId }),
  );
}

window.show = (props) => (root ??= createRoot(element)).render(props === null ? null : h(Page, props));
/** Renders as a server does, and hydrates what it rendered. */
window.hydrate = (props) => {
  const html = renderToString(h(Page, props));
  element.innerHTML = html;
  root = hydrateRoot(element, h(Page, props), {
    onRecoverableError: (error) => complaints.push(String(error)),
  });
  return html;
};
`;
