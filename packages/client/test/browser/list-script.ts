/**
 * A script whose pages show a list of runs, and perhaps a run, under StrictMode. `show(props)` renders a `Page`: `list` are the options of
 * `useRuns`, and `runId` is the run. `hydrate(props)` renders it as a server does, and hydrates that.
 */
export const LIST_SCRIPT = `
import { createElement as h, memo, StrictMode } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server.browser";
import { useRun, useRuns } from "@tm/run-events-client/react";

const element = document.querySelector("#root");
let root;
/** How often each row was rendered, by run, and the list. */
window.rows = {};
window.lists = 0;
window.complaints = [];

const Row = memo(({ run }) => {
  rows[run.runId] = (rows[run.runId] ?? 0) + 1;
  return h("li", { id: run.runId }, run.runStatus + " " + run.lastSequence + " " + (run.last?.eventType ?? "-"));
});

function List(options) {
  const view = useRuns(options);
  window.list = view;
  lists += 1;
  return h("div", null,
    h("p", { id: "state" }, view.state + " " + (view.isLoading ? "loading" : view.runs.length)),
    h("ul", null, view.runs.map((run) => h(Row, { key: run.runId, run }))),
  );
}

function Run({ runId }) {
  const run = useRun(runId);
  return h("p", null,
    h("span", { id: "run" }, run.events.length + " " + run.state),
    h("button", { id: "cancel", onClick: run.cancel }, "Cancel"),
  );
}

const Page = ({ list, runId }) =>
  h(StrictMode, null, list && h(List, list), runId && h(Run, { runId }));

window.show = (props) => (root ??= createRoot(element)).render(h(Page, props));
window.hydrate = (props) => {
  const html = renderToString(h(Page, props));
  element.innerHTML = html;
  root = hydrateRoot(element, h(Page, props), {
    onRecoverableError: (error) => complaints.push(String(error)),
  });
  return html;
};
`;
