import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { allowedOrigins, answerOwn, identify } from "./own.mjs";

const authenticate = (request, wanted) => identify(Object.fromEntries(request.headers), wanted);

/** One log of runs, with the SQLite of its object. */
export class RunEvents {
  constructor({ storage }) {
    const store = createSqliteStore(storage);
    const runs = createRunEvents({ store });
    this.handler = createHandler({ runs, authenticate, allowedOrigins });
    this.ready = store.migrate();
  }
  async fetch(request) {
    await this.ready;
    const isRuns = /^\/v1\/(agent-runs|errors)/.test(new URL(request.url).pathname);
    return isRuns ? this.handler.fetch(request) : answerOwn(request);
  }
}

// oxlint-disable-next-line import/no-default-export -- a worker's handler is taken from there
export default {
  // All users share an object here. Give each one its own with `getByName(userId)`.
  fetch: (request, { OBJECTS }) => OBJECTS.getByName("all").fetch(request),
};
