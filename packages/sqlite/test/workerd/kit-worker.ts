// The whole kit in a Durable Object: it opens stores on the object's own storage.
import { type ProfileName, runEventStoreConformance } from "@tm/run-events-conformance";
import type { SqliteObjectStorage } from "../../src/index.ts";
import { countStatements, objectDoors } from "./object-doors.ts";

/** Runs one case of the kit at each request. */
export class KitObject {
  readonly #storage: SqliteObjectStorage;

  constructor({ storage }: { readonly storage: SqliteObjectStorage }) {
    this.#storage = storage;
  }

  /** Answers with nothing, or with why the case failed. */
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const name = searchParams.get("case");
    const profile = searchParams.get("profile") as ProfileName;
    const doors = objectDoors(countStatements(this.#storage));
    const cases = runEventStoreConformance({ name: "Durable Object", profile, ...doors });
    const asked = cases.find((one) => one.name === name);
    if (asked === undefined) return new Response(`There is no case ${name}.`, { status: 404 });
    try {
      await asked.run();
      return new Response();
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 });
    }
  }
}

/** The objects of the worker, by name. */
interface Env {
  readonly OBJECTS: {
    getByName(name: string): { fetch(request: Request): Promise<Response> };
  };
}

/** Each case has an object of its own. */
const worker: { fetch(request: Request, env: Env): Promise<Response> } = {
  fetch: (request, { OBJECTS }) => OBJECTS.getByName(request.url).fetch(request),
};

// oxlint-disable-next-line import/no-default-export -- workerd takes the handler of a worker from there
export default worker;
