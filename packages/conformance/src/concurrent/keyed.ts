/** The events that go under each key that clients share. */
export const KEYED: Readonly<Record<string, readonly string[]>> = {
  k: ["TOKEN"],
  l: ["TOKEN", "PHASE_STARTED", "TOKEN"],
  end: ["TOKEN", "RUN_COMPLETED"],
  i: ["INPUT_RECEIVED"],
};
