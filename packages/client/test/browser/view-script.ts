/**
 * A script whose pages show runs with all hooks. `show(props)` renders a `Page` under StrictMode, and `hydrate(props)` hydrates one that a
 * server has rendered:
 *
 * - `runId`: a run, or null; nothing without it;
 * - `tail`: the option of a view; without it the view has all events;
 * - `fold`: whether a fold counts the events with a new function in each render;
 * - `list`: the options of a list of runs.
 */
export const VIEW_SCRIPT = `
import { createElement as h, memo, StrictMode, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server.browser";
import { useRun, useRunFold, useRuns } from "@tm/run-events-client/react";

const element = document.querySelector("#root");
let root;
/** Every view that was rendered. */
window.views = [];
/** Every sequence that was folded, over all runs. */
window.folded = [];
/** How often a fold was rendered. */
window.foldRenders = 0;
/** How often each row of a list was rendered, by run. */
window.rows = {};
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

const Row = memo(({ run }) => {
  rows[run.runId] = (rows[run.runId] ?? 0) + 1;
  return h("li", { id: run.runId }, run.runStatus + " " + run.lastSequence);
});

function List(options) {
  const { state, isLoading, runs } = useRuns(options);
  return h("div", null,
    h("p", { id: "state" }, state + " " + (isLoading ? "loading" : runs.length)),
    h("ul", null, runs.map((run) => h(Row, { key: run.runId, run }))),
  );
}

function Page({ fold, list, ...props }) {
  return h(StrictMode, null,
    props.runId !== undefined && h(View, { id: "view", ...props }),
    fold && h(Fold, { runId: props.runId }),
    list && h(List, list),
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
