import { bridge, Owners } from "./bridge.ts";

/** The doors of a store of the new contract, as the kit takes them. */
export function bridgedDoors(doors: any): any {
  const inner = new Map<object, any>();
  const of = (name: string, how: (...args: any[]) => any) =>
    doors[name] === undefined ? {} : { [name]: how };
  return {
    prepare: async () => ({ place: await doors.prepare(), owners: new Owners() }),
    async open({ place, owners }: any) {
      const store = await doors.open(place);
      const bridged = bridge(store, owners);
      inner.set(bridged, store);
      return bridged;
    },
    destroy: ({ place }: any) => doors.destroy(place),
    ...of("leftovers", ({ place }) => doors.leftovers(place)),
    ...of("cost", ({ place }) => doors.cost(place)),
    ...of("refuseWrites", ({ place }, store) => doors.refuseWrites(place, inner.get(store))),
    ...of("begin", async ({ place, owners }) => {
      const own = await doors.begin(place);
      return {
        append: (append: any) =>
          own.append({ ...append, ownerId: append.ownerId ?? owners.ownerOf(append.runId) ?? "?" }),
        end: (how: any) => own.end(how),
      };
    }),
    ...of("restore", ({ place }) => doors.restore(place)),
  };
}
