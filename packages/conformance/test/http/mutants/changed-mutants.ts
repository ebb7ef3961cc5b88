import { TOKENS } from "../users.ts";
import {
  answerProblem,
  mapAnswers,
  mapRequests,
  type PlainAnswer,
  type ServerMutant,
  withBody,
  withHeaders,
} from "./server-mutant.ts";

const LOOK_AGAIN_MS = 5_000;

/** Servers that answer wrongly which runs have changed. */
export const changedMutants: readonly ServerMutant[] = [
  {
    name: "answers a list where the changed runs were asked for",
    clause: "W48",
    ...mapQueries((query) => query.delete("changedSince")),
  },
  {
    name: "starts over at every cursor of changed runs",
    clause: "W48",
    ...mapQueries((query) => query.set("changedSince", "")),
  },
  {
    name: "does not say that the changed runs start over",
    clause: "W48",
    ...mapChanged(({ json }) => ({ ...json, reset: false })),
  },
  {
    name: "leaves out the changed runs that have ended",
    clause: "W48",
    ...mapChanged(({ json }) => ({
      ...json,
      runs: runsIn(json).filter(({ finishedAt }) => finishedAt === null),
    })),
  },
  {
    name: "leaves out the runs that were removed since a cursor",
    clause: "W48",
    ...mapChanged(({ json }) => ({ ...json, gone: [] })),
  },
  {
    name: "answers the changed runs of every topic",
    clause: "W48",
    ...mapQueries((query) => query.delete("topic")),
  },
  {
    name: "answers the changed runs of other users",
    clause: "W48",
    ...mapChanged(async ({ request, json, fetch }) => {
      const mine = request.headers.get("authorization")?.replace("Bearer ", "");
      const other = TOKENS.find((token) => token !== mine);
      const theirs = await fetch(withHeaders(request, { authorization: `Bearer ${other}` }));
      const more = (await theirs.json()) as PlainAnswer["json"];
      return { ...json, runs: [...runsIn(json), ...runsIn(more)] };
    }),
  },
  {
    name: "does not wait for a changed run",
    clause: "W48",
    ...mapQueries((query) => query.delete("wait")),
  },
  {
    name: "ignores the limit of an answer that waits for changed runs",
    clause: "W48",
    ...mapQueries((query) => {
      if (query.has("wait")) query.delete("limit");
    }),
  },
  {
    name: "answers a wait for changed runs only when its time is up",
    clause: "W48",
    wrap: (fetch) => async (request) => {
      const url = new URL(request.url);
      if (!isAsked(url) || !url.searchParams.has("wait")) return fetch(request);
      const waitMs = Number(url.searchParams.get("wait")) * 1_000;
      const known = await fetch(request.clone());
      // This delay is the fault of this server.
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      return known.clone();
    },
  },
  {
    name: "looks for changed runs again every five seconds only, while an answer waits",
    clause: "W48",
    wrap: (fetch) => async (request) => {
      const url = new URL(request.url);
      const waitMs = Number(url.searchParams.get("wait") ?? 0) * 1_000;
      if (!isAsked(url) || !(waitMs > 0 && waitMs <= 30_000)) return fetch(request);
      url.searchParams.delete("wait");
      const look = (): Promise<Response> => fetch(new Request(url, request.clone()));
      const known = await look();
      const { runs } = (await known.clone().json()) as { readonly runs?: readonly unknown[] };
      if (runs?.length !== 0) return known;
      // This delay is the fault of this server.
      await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, LOOK_AGAIN_MS)));
      return waitMs < LOOK_AGAIN_MS ? known : look();
    },
  },
  {
    name: "gives the old cursor after a wait for changed runs whose time is up",
    clause: "W48",
    ...mapChanged(({ json }) =>
      runsIn(json).length === 0 ? { ...json, cursor: "1.0.0.0.0...." } : json,
    ),
  },
  {
    name: "ignores the limit of changed runs",
    clause: "W48",
    ...mapQueries((query) => query.set("limit", "200")),
  },
  {
    name: "ignores a wait without a cursor of changed runs",
    clause: "W48",
    ...mapRequests((request, url) => {
      if (request.method !== "GET" || !url.pathname.endsWith("/agent-runs") || isAsked(url))
        return request;
      url.searchParams.delete("wait");
      return new Request(url, request);
    }),
  },
  {
    name: "does not say that more runs have changed",
    clause: "W48",
    ...mapChanged(({ json }) => ({ ...json, hasMore: false })),
  },
  {
    name: "gives no last events with the changed runs",
    clause: "W48",
    ...mapQueries((query) => {
      if (query.get("last") === "true") query.delete("last");
    }),
  },
  {
    name: "gives no last events after a wait for changed runs",
    clause: "W48",
    ...mapChanged(({ request, json }) =>
      request.url.includes("wait=") && json["last"] !== undefined ? { ...json, last: {} } : json,
    ),
  },
  {
    name: "gives last events with the changed runs unasked",
    clause: "W48",
    ...mapQueries((query) => query.set("last", "true")),
  },
  {
    name: "takes any value of `last` with the changed runs",
    clause: "W48",
    ...mapQueries((query) => {
      if (!["true", "false"].includes(query.get("last") ?? "true")) query.set("last", "true");
    }),
  },
  {
    name: "takes any text for a cursor of changed runs",
    clause: "W48",
    ...mapQueries((query) => {
      const since = query.get("changedSince") ?? "";
      if (!/^1(\.[^.!]*){8}$/.test(since)) query.set("changedSince", "");
    }),
  },
  {
    name: "takes `status` together with `changedSince`",
    clause: "W48",
    ...mapQueries((query) => query.delete("status")),
  },
  {
    name: "refuses an empty cursor of changed runs",
    clause: "W48",
    wrap: (fetch) => async (request) => {
      const url = new URL(request.url);
      const isEmpty = isAsked(url) && url.searchParams.get("changedSince") === "";
      return isEmpty ? answerProblem(400, "invalid_cursor") : fetch(request);
    },
  },
];

function isAsked(url: URL): boolean {
  return url.pathname.endsWith("/agent-runs") && url.searchParams.has("changedSince");
}

/** The query of every question for changed runs passes through `change`. */
function mapQueries(change: (query: URLSearchParams) => void): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    if (!isAsked(url)) return request;
    change(url.searchParams);
    return new Request(url, request);
  });
}

/** Every answer with changed runs passes through `change`. */
function mapChanged(
  change: (answer: PlainAnswer) => object | Promise<object>,
): Pick<ServerMutant, "wrap"> {
  return mapAnswers(async (answer) =>
    answer.json["gone"] === undefined ? null : withBody(answer, await change(answer)),
  );
}

function runsIn(json: PlainAnswer["json"]): readonly { readonly finishedAt: string | null }[] {
  return json["runs"] as readonly { readonly finishedAt: string | null }[];
}
