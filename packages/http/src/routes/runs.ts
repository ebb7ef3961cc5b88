import { RUNS_PATH, answers } from "@tm/run-events-core/wire";
import { emptyReply, jsonReply } from "../exchange/exchange.ts";
import { json, textHeader } from "../contract/operation.ts";
import { CREATE_RUN } from "../contract/bodies.ts";
import { keyHeader } from "../contract/headers.ts";
import {
  LIST_CURSOR,
  OF_FEED,
  parseListFeed,
  STATUS,
  TOPIC_PARAMETER,
  WAIT,
} from "../contract/lists.ts";
import { integerParameter } from "../contract/parameter.ts";
import type { Schema } from "../contract/schema.ts";
import { readBody } from "./call-body.ts";
import { type Route, RUN_PATH } from "./route.ts";
import { readRunList } from "./run-list.ts";
import { answerFeed } from "./watched-list.ts";

const LIMIT = integerParameter("limit", "The most to answer.", { most: 200, fallback: 50 });

const KEY = keyHeader(
  "Only with `runId`. With `leaseMs`, the same key gets the same lease again, until it expires.",
);

const RETENTION: Schema = {
  "Run-Retention": {
    description: "For how many seconds a finished run is kept. Missing if runs are kept for ever.",
    schema: { type: "string", pattern: "^[1-9]\\d*$" },
  },
};

const listRuns: Route = {
  method: "GET",
  path: RUNS_PATH,
  access: "any",
  tag: "polling",
  id: "listRuns",
  summary:
    "A page of the caller's runs, newest first (W14), or the list of live and newest runs (W48)",
  description:
    "`status`, `cursor` and `limit` are refused together with `feed`. `have`, `last` and `wait` are refused without it.",
  parameters: [STATUS, TOPIC_PARAMETER, LIMIT, LIST_CURSOR, ...OF_FEED, WAIT],
  answers: {
    200: json(
      "A page of runs, of at most 4 MiB of metadata unless one run has more. With `feed`, the live runs and the newest 50, or that the list still has the version `have`.",
      ["RunList", "WholeList", "SameList"],
      RETENTION,
    ),
  },
  codes: ["invalid_request"],
  async answer(call) {
    const { context, exchange, ownerId, holding } = call;
    const feed = parseListFeed(exchange);
    if (feed !== null) return answerFeed(call, feed);
    const query = {
      ownerId,
      runStatus: STATUS.parse(exchange),
      topic: TOPIC_PARAMETER.parse(exchange),
      before: LIST_CURSOR.parse(exchange),
      limit: LIMIT.parse(exchange),
    };
    holding.checkAnswers();
    const list = await readRunList(context.log, query, call);
    return jsonReply(200, answers.encodeRunList(list), context.retention);
  },
};

const createRun: Route = {
  method: "POST",
  path: RUNS_PATH,
  access: "any",
  tag: "writing",
  id: "createRun",
  summary: "Creates a run, or returns the caller's existing run of that id (W8)",
  description:
    "With `leaseMs` it claims the run in the same step, and the answer also has the fence and the end of the lease (W36).",
  parameters: [KEY],
  body: CREATE_RUN,
  answers: {
    201: json("The run.", "CreatedRun", textHeader("Location")),
    200: json("The existing run.", "CreatedRun", textHeader("Location")),
  },
  codes: ["invalid_request", "payload_too_large", "topic_busy", "claimed", "run_finished"],
  async answer(call) {
    const { context, exchange, ownerId } = call;
    const idempotencyKey = KEY.parse(exchange);
    const asked = CREATE_RUN.parse(await readBody(call));
    await call.takeTurn("short");
    const { created, run } = await context.log.createRun({ ...asked, idempotencyKey, ownerId });
    const location = `${context.basePath}/${run.runId}`;
    const text =
      asked.leaseMs === undefined ? answers.encodeRun(run) : answers.encodeClaimedRun(run);
    return jsonReply(created ? 201 : 200, text, { location });
  },
};

const getRun: Route = {
  method: "GET",
  path: RUN_PATH,
  access: "any",
  tag: "polling",
  id: "getRun",
  summary: "A run as it is now (W14)",
  answers: { 200: json("The run.", "RunSnapshot", RETENTION) },
  async answer({ context, runId, ownerId }) {
    const run = await context.log.getRun(runId, { ownerId });
    return jsonReply(200, answers.encodeRun(run), context.retention);
  },
};

const deleteRun: Route = {
  method: "DELETE",
  path: RUN_PATH,
  access: "any",
  tag: "writing",
  id: "deleteRun",
  summary: "Deletes a finished run with its log (W14)",
  answers: { 204: { description: "The run was deleted, and its id is free." } },
  codes: ["run_active"],
  async answer(call) {
    const { context, runId, ownerId } = call;
    await call.takeTurn("short");
    await context.log.deleteRun(runId, { ownerId });
    return emptyReply();
  },
};

/** The routes of runs: list, create, read and delete. @see clauses W8 and W14 in `WIRE.md` */
export const RUN_ROUTES: readonly Route[] = [listRuns, createRun, getRun, deleteRun];

/** Ends a run. @see clause W13 in `WIRE.md` */
export const CANCEL_ROUTE: Route = {
  method: "POST",
  path: `${RUN_PATH}/cancel`,
  access: "any",
  tag: "writing",
  id: "cancelRun",
  summary: "Appends `RUN_CANCELLED` unless the run has ended, even to a claimed run (W13)",
  answers: { 200: json("The run after that.", "RunSnapshot") },
  async answer({ context, runId, ownerId }) {
    return jsonReply(200, answers.encodeRun(await context.log.cancel(runId, { ownerId })));
  },
};
