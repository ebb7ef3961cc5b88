import { encodeClaimedRun, encodeRun, encodeRunList, RUNS_PATH } from "@tm/run-events-core/wire";
import { emptyReply, jsonReply } from "../exchange/exchange.ts";
import { empty, json, type Json, textHeader } from "../openapi/operation.ts";
import {
  CURSOR,
  FEED_PARAMETER,
  HAVE_PARAMETER,
  keyParameter,
  LAST_PARAMETER,
  limitParameter,
  parameter,
  TOPIC_PARAMETER,
  WAIT_PARAMETER,
} from "../openapi/parameter.ts";
import { schemaRef } from "../openapi/schema.ts";
import { parseCreateBody } from "../request/bodies.ts";
import { parseListFeed } from "../request/feed-query.ts";
import { parseLimit, parseListCursor, parseStatus, parseTopic } from "../request/query.ts";
import { readBody } from "./call-body.ts";
import { claimKeyIn } from "./claim-key.ts";
import { type Route, RUN_PATH } from "./route.ts";
import { LIST_LIMIT, readRunList } from "./run-list.ts";
import { answerFeed } from "./watched-list.ts";

const RETENTION: Json = {
  "Run-Retention": {
    description: "For how many seconds a finished run is kept. Missing if runs are kept for ever.",
    schema: { type: "string", pattern: "^[1-9]\\d*$" },
  },
};

const listRuns: Route = {
  method: "GET",
  path: RUNS_PATH,
  access: "any",
  changes: false,
  async answer(call) {
    const { context, exchange, ownerId, holding } = call;
    const feed = parseListFeed(exchange.query);
    if (feed !== null) return answerFeed(call, feed);
    const runStatus = parseStatus(exchange.query);
    const topic = parseTopic(exchange.query);
    const before = parseListCursor(exchange.query);
    const limit = parseLimit(exchange.query, LIST_LIMIT);
    holding.checkAnswers();
    await call.takeTurn("short");
    const query = { ownerId, runStatus, topic, before, limit };
    const list = await readRunList(context.log, query, call);
    return jsonReply(200, encodeRunList(list), context.retention);
  },
  operation: {
    tag: "polling",
    id: "listRuns",
    summary:
      "A page of the caller's runs, newest first (W14), or the list of live and newest runs (W48)",
    description:
      "`status`, `cursor` and `limit` are refused together with `feed`. `have`, `last` and `wait` are refused without it.",
    parameters: [
      parameter(
        "query",
        "status",
        "Only runs in this status; `live` is for all that have not finished (W34).",
        {
          anyOf: [schemaRef("RunStatus"), { const: "live" }],
        },
      ),
      TOPIC_PARAMETER,
      limitParameter(LIST_LIMIT),
      parameter("query", "cursor", "The `nextCursor` of the page before.", CURSOR),
      FEED_PARAMETER,
      HAVE_PARAMETER,
      LAST_PARAMETER,
      WAIT_PARAMETER,
    ],
    answers: {
      200: json(
        "A page of runs, of at most 4 MiB of metadata unless one run has more. With `feed`, the live runs and the newest 50, or that the list still has the version `have`.",
        ["RunList", "WholeList", "SameList"],
        RETENTION,
      ),
    },
    codes: ["invalid_request"],
  },
};

const createRun: Route = {
  method: "POST",
  path: RUNS_PATH,
  access: "any",
  changes: true,
  async answer(call) {
    const { context, exchange, ownerId } = call;
    const named = claimKeyIn(exchange);
    const asked = parseCreateBody(await readBody(call));
    await call.takeTurn("short");
    const { created, run } = await context.log.createRun({ ...asked, ...named, ownerId });
    const location = `${context.basePath}/${run.runId}`;
    const text = asked.leaseMs === undefined ? encodeRun(run) : encodeClaimedRun(run);
    return jsonReply(created ? 201 : 200, text, { location });
  },
  operation: {
    tag: "writing",
    id: "createRun",
    summary: "Creates a run, or returns the caller's existing run of that id (W8)",
    description:
      "With `leaseMs` it claims the run in the same step, and the answer also has the fence and the end of the lease (W36).",
    parameters: [
      keyParameter(
        "Only with `runId`. With `leaseMs`, the same key gets the same lease again, until it expires.",
      ),
    ],
    requestBody: { content: { "application/json": { schema: schemaRef("CreateRun") } } },
    answers: {
      201: json("The run.", "CreatedRun", textHeader("Location")),
      200: json("The existing run.", "CreatedRun", textHeader("Location")),
    },
    codes: ["invalid_request", "payload_too_large", "topic_busy", "claimed", "run_finished"],
  },
};

const getRun: Route = {
  method: "GET",
  path: RUN_PATH,
  access: "any",
  changes: false,
  async answer({ context, runId, ownerId }) {
    const run = await context.log.getRun(runId, { ownerId });
    return jsonReply(200, encodeRun(run), context.retention);
  },
  operation: {
    tag: "polling",
    id: "getRun",
    summary: "A run as it is now (W14)",
    answers: { 200: json("The run.", "RunSnapshot", RETENTION) },
  },
};

const deleteRun: Route = {
  method: "DELETE",
  path: RUN_PATH,
  access: "any",
  changes: true,
  async answer(call) {
    const { context, runId, ownerId } = call;
    await call.takeTurn("short");
    await context.log.deleteRun(runId, { ownerId });
    return emptyReply();
  },
  operation: {
    tag: "writing",
    id: "deleteRun",
    summary: "Deletes a finished run with its log (W14)",
    answers: { 204: empty("The run was deleted, and its id is free.") },
    codes: ["run_active"],
  },
};

/** The routes of runs: list, create, read and delete. @see clauses W8 and W14 in `WIRE.md` */
export const RUN_ROUTES: readonly Route[] = [listRuns, createRun, getRun, deleteRun];

/** Ends a run. @see clause W13 in `WIRE.md` */
export const CANCEL_ROUTE: Route = {
  method: "POST",
  path: `${RUN_PATH}/cancel`,
  access: "any",
  changes: true,
  async answer({ context, runId, ownerId }) {
    return jsonReply(200, encodeRun(await context.log.cancel(runId, { ownerId })));
  },
  operation: {
    tag: "writing",
    id: "cancelRun",
    summary: "Appends `RUN_CANCELLED` unless the run has ended, even to a claimed run (W13)",
    answers: { 200: json("The run after that.", "RunSnapshot") },
  },
};
