import { defineHandler } from "nitro/h3";

// oxlint-disable-next-line import/no-default-export -- Nitro takes a route from there
export default defineHandler(({ req }) => req.json());
