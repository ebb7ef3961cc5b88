import { defineHandler } from "nitro/h3";
import { answerOwn } from "../../hosts/own.mjs";

// oxlint-disable-next-line import/no-default-export -- Nitro takes a route from there
export default defineHandler(({ req }) => answerOwn(req));
