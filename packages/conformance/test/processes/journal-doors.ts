import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ProcessConformanceOptions } from "@tm/run-events-conformance/processes";
import { openJournal } from "./journal.ts";
import type { JournalPlace } from "./open-journal.ts";

/** Node's options to run the sources. */
export const EXEC_ARGV: readonly string[] = ["-C", "@tm/source"];

/** How the kit gets at journals, and the file of the youngest. */
export interface JournalDoors extends ProcessConformanceOptions<JournalPlace> {
  readonly destroy: (place: JournalPlace) => Promise<void>;
  readonly file: () => string;
}

/** @param mutant who spoils the stores; null for healthy ones */
export function createJournalDoors(mutant: string | null): JournalDoors {
  let file = "";
  return {
    name: mutant ?? "journal",
    module: new URL("open-journal.ts", import.meta.url),
    async prepare() {
      file = join(await mkdtemp(join(tmpdir(), "run-events-kit-")), "kit.db");
      // A new file is not for many to begin at once.
      openJournal(file).close();
      return { mutant, file };
    },
    destroy: (place) => rm(dirname(place.file), { recursive: true }),
    execArgv: EXEC_ARGV,
    file: () => file,
  };
}
