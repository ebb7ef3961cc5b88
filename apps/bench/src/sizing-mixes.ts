/** How much is appended, in which groups, and to how many readers: an event goes to each reader of its run. */
export interface Mix {
  readonly name: string;
  readonly readersARun: number;
  readonly eventsASecond: number;
  /** So many are appended at once. */
  readonly burst: number;
}

/** What the costs are taken from: appends that come alone and that meet, without a reader, with one and with several. */
export const CALIBRATING: readonly Mix[] = [
  { name: "alone, no reader", readersARun: 0, eventsASecond: 300, burst: 1 },
  { name: "alone, 1 reader", readersARun: 1, eventsASecond: 300, burst: 1 },
  { name: "alone, 10 readers", readersARun: 10, eventsASecond: 300, burst: 1 },
  { name: "4 at once, 1 reader", readersARun: 1, eventsASecond: 800, burst: 4 },
  { name: "16 at once, no reader", readersARun: 0, eventsASecond: 2_000, burst: 16 },
  { name: "16 at once, 1 reader", readersARun: 1, eventsASecond: 1_600, burst: 16 },
  { name: "16 at once, 10 readers", readersARun: 10, eventsASecond: 1_000, burst: 16 },
];

/** What the costs are held against: groups, rates and readers between those and beyond. */
export const HELD_OUT: readonly Mix[] = [
  { name: "2 at once, 5 readers", readersARun: 5, eventsASecond: 500, burst: 2 },
  { name: "8 at once, 3 readers", readersARun: 3, eventsASecond: 1_200, burst: 8 },
  { name: "32 at once, 2 readers", readersARun: 2, eventsASecond: 2_400, burst: 32 },
];
