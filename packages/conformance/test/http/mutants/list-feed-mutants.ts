import {
  mapAnswers,
  mapRequests,
  type PlainAnswer,
  type ServerMutant,
  withBody,
} from "./server-mutant.ts";

/** Servers that answer a list wrongly. */
export const listFeedMutants: readonly ServerMutant[] = [
  {
    name: "sends a list again that has not changed",
    clause: "W48",
    ...mapQueries((query) => query.delete("have")),
  },
  {
    name: "leaves out the runs of a list that have ended",
    clause: "W48",
    ...mapList((json) =>
      "runs" in json
        ? { ...json, runs: runsIn(json).filter(({ finishedAt }) => finishedAt === null) }
        : json,
    ),
  },
  {
    name: "answers no last events with a list",
    clause: "W48",
    ...mapQueries((query) => query.delete("last")),
  },
];

function runsIn(json: PlainAnswer["json"]): readonly Readonly<Record<string, unknown>>[] {
  return json["runs"] as readonly Readonly<Record<string, unknown>>[];
}

function isList(url: URL): boolean {
  return url.pathname === "/v1/agent-runs" && url.searchParams.has("feed");
}

/** The query of every list passes through `change`. */
function mapQueries(change: (query: URLSearchParams) => void): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    if (!isList(url)) return request;
    change(url.searchParams);
    return new Request(url, request);
  });
}

/** The answer to each poll of a list passes through `change`. */
function mapList(
  change: (json: PlainAnswer["json"]) => PlainAnswer["json"],
): Pick<ServerMutant, "wrap"> {
  return mapAnswers(async (answer) =>
    answer.json["version"] === undefined ? null : withBody(answer, change(answer.json)),
  );
}
