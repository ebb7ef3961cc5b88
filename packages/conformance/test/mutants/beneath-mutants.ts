import { type BeneathBreakage, beneathDoors } from "../beneath-doors.ts";
import { type Mutant, storeCases } from "./mutant.ts";

const BREAKAGES: readonly (BeneathBreakage & Pick<Mutant, "name" | "clause">)[] = [
  { name: "keeps the events of a run that it removes", clause: "S17", keepsRemoved: true },
  { name: "keeps the events of old runs that it removes", clause: "S17", keepsRemoved: true },
  {
    name: "counts the events of a run to append to it",
    clause: "S12",
    wastes: (call, { events }) => (call === "append" ? { rows: events } : {}),
  },
  {
    name: "reads all runs to find those that no worker works on",
    clause: "S12",
    wastes: (call, { runs }) => (call === "queued" ? { rows: runs } : {}),
  },
  {
    name: "reads all of the owner's runs to list those of a topic",
    clause: "S12",
    wastes: (call, { runs }) => (call === "topic" ? { rows: runs } : {}),
  },
  {
    name: "reads all of the owner's runs to list the newest",
    clause: "S12",
    wastes: (call, { runs }) => (call === "all" ? { rows: runs } : {}),
  },
  {
    name: "takes a known key for a new one once its receipt is lost",
    clause: "S5",
    forgetsReceipts: true,
  },
  { name: "probes without writing", clause: "S31", probesNothing: true },
  { name: "acknowledges what it cannot write", clause: "S31", writesNothing: true },
  { name: "writes nothing once it could not write for a while", clause: "S31", staysFull: true },
];

/** Stores whose fault shows beneath them alone. */
export const beneathMutants: readonly Mutant[] = BREAKAGES.map(({ name, clause, ...breakage }) => ({
  name,
  clause,
  cases: () => storeCases(beneathDoors(breakage)),
}));
