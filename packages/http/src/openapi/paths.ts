import type { RunEventsErrorCode } from "@tm/run-events-core";
import { empty, type Json, type Operation, problems } from "./operation.ts";
import { schemaRef } from "./schema.ts";

/** The members of a route that the document needs. */
export interface Described {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path, with `{runId}` for a run's id, or `{code}` for an error's code. */
  readonly path: string;
  /** Who may call it: anyone, any credential, or a session. @see clauses W4 and W19 in `WIRE.md` */
  readonly access: "open" | "any" | "session";
  /** Whether it changes something, so that a page of another origin must not send it with a cookie. @see clause W5 in `WIRE.md` */
  readonly changes: boolean;
  readonly operation: Operation;
  /** The description of `HEAD`, if the document has one. `HEAD` is answered wherever `GET` is. */
  readonly head?: Pick<Operation, "id" | "summary" | "answers">;
}

/** What a path may have between braces, with the schema of it. */
const PARTS: Readonly<Record<string, string>> = { runId: "RunId", code: "ErrorCode" };

/** A session, by either of its cookies: that for http or that for https. @see clause W29 in `WIRE.md` */
export const BY_SESSION: readonly Json[] = [{ session: [] }, { secureSession: [] }];

/** Error codes that follow from who may call. A failure of a live stream is a frame, not a status. @see clause W24 in `WIRE.md` */
const CODES: Readonly<Record<Described["access"], readonly RunEventsErrorCode[]>> = {
  open: [],
  any: ["unauthenticated", "too_many_requests", "internal", "store_unavailable"],
  session: ["unauthenticated", "too_many_requests", "session_required", "cross_site_request"],
};

const SECURITY: Readonly<Record<Described["access"], Json>> = {
  open: { security: [] },
  // The document's top-level `security` allows any credential.
  any: {},
  session: { security: BY_SESSION },
};

/** Describes routes as the document's paths, in their order. */
export function describePaths(routes: readonly Described[]): Readonly<Record<string, Json>> {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const item = paths[route.path] ?? partsOf(route);
    const own = { [route.method.toLowerCase()]: describe(route) };
    const head = route.head === undefined ? {} : { head: describeHead(route, route.head) };
    paths[route.path] = { ...item, ...own, ...head };
  }
  return paths;
}

function partsOf({ path }: Described): Json {
  const parameters = Object.entries(PARTS)
    .filter(([name]) => path.includes(`{${name}}`))
    .map(([name, schema]) => ({ name, in: "path", required: true, schema: schemaRef(schema) }));
  return parameters.length === 0 ? {} : { parameters };
}

function isOfRun({ path }: Described): boolean {
  return path.includes("{runId}");
}

function problemsOf(route: Described): Json {
  const { access, changes, operation } = route;
  return problems(
    ...CODES[access],
    ...(isOfRun(route) ? (["not_found", "invalid_request"] as const) : []),
    ...(operation.codes ?? []),
    ...(changes ? (["cross_site_request"] as const) : []),
  );
}

function describe(route: Described): Json {
  const { description, answers } = route.operation;
  const optional = description === undefined ? {} : { description };
  return operationOf(route, route.operation, optional, { ...answers, ...problemsOf(route) });
}

function describeHead(route: Described, head: NonNullable<Described["head"]>): Json {
  const refusals = Object.keys(problemsOf(route)).map((status) => [
    status,
    empty("As with GET, without the body."),
  ]);
  return operationOf(route, head, {}, { ...head.answers, ...Object.fromEntries(refusals) });
}

function operationOf(
  { access, operation }: Described,
  { id, summary }: Pick<Operation, "id" | "summary">,
  optional: Json,
  responses: Json,
): Json {
  const { tag, parameters, requestBody } = operation;
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...optional,
    ...SECURITY[access],
    ...(parameters === undefined ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses,
  };
}
