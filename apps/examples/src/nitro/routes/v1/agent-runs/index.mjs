import { defineHandler } from "nitro/h3";
import { handler } from "../../../lib/run-events.mjs";

// oxlint-disable-next-line import/no-default-export -- Nitro takes a route from there
export default defineHandler(({ req }) => handler.fetch(req));
