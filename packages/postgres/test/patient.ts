/** For `expect.poll`: bounds a hang, not the speed of the machine. */
export const PATIENT = { timeout: 30_000, interval: 10 } as const;
