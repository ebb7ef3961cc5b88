import { testEventStore } from "@tm/run-events-conformance/vitest";
import { createFolder, openLibsqlStore, removeFolder } from "./libsql-stores.ts";

testEventStore({
  name: "libSQL, whose client answers in promises",
  profile: "quick",
  prepare: createFolder,
  open: openLibsqlStore,
  destroy: removeFolder,
});
