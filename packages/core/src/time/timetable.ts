/** An item that can be in a timetable. */
export interface Timed {
  /** Its index in the timetable, which writes it. 0 until it is added. */
  place: number;
}

/** Items, each with the time at which it falls due: the times are in one array, so that a pass over many is cheap. */
export interface Timetable<Item extends Timed> {
  readonly items: readonly Item[];
  add(item: Item, dueAtMs: number): void;
  /** Changes when an item that was added falls due. */
  set(item: Item, dueAtMs: number): void;
  /** Removes an item that was added. */
  remove(item: Item): void;
  /** Calls the task with each item that is due; it may change and remove any. */
  eachDue(timeMs: number, task: (item: Item) => void): void;
}

/**
 * Makes an empty timetable. It is not sorted: a pass over the times of thousands of idle streams costs almost nothing. A pass over the
 * streams themselves would cost more.
 */
export function createTimetable<Item extends Timed>(): Timetable<Item> {
  const items: Item[] = [];
  const times: number[] = [];
  return {
    items,
    add(item, dueAtMs) {
      item.place = items.length;
      items.push(item);
      times.push(dueAtMs);
    },
    set(item, dueAtMs) {
      times[item.place] = dueAtMs;
    },
    remove({ place }) {
      const last = items.pop();
      const dueAtMs = times.pop();
      if (last === undefined || dueAtMs === undefined || place === items.length) return;
      items[place] = last;
      times[place] = dueAtMs;
      last.place = place;
    },
    eachDue(timeMs, task) {
      // From the end: if an item is removed, the item that fills its place has been checked already.
      for (let place = items.length - 1; place >= 0; place--) {
        const item = items[place];
        if (item !== undefined && timeMs >= (times[place] ?? Number.POSITIVE_INFINITY)) task(item);
      }
    },
  };
}
