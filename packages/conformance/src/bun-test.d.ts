/** As much of Bun's test runner as is called. */
declare module "bun:test" {
  export function describe(name: string, register: () => void): void;
  export function it(name: string, run: () => Promise<void>, timeoutMs: number): void;
}
