/** The code around an `@example` that makes it a program. */
export interface ExampleFrame {
  readonly imports: string;
  /** Statements before the example: they declare the names that it leaves open. They may use an {@link ExampleContext}. */
  readonly before?: string;
  /** Statements after the example. The last one returns what `result` is compared with. */
  readonly after?: string;
  /** The value that the program has to return. Without it, the example is only compiled. */
  readonly result?: unknown;
}

/** The values that an example's program may use. */
export interface ExampleContext {
  /** The reference server's address, on a memory store. */
  readonly url: string;
  /** Ada's token at that server. */
  readonly token: string;
  readonly tokens: readonly [string, string];
  /** An empty folder. */
  readonly folder: string;
  readonly postgresUrl: () => Promise<string>;
  readonly redisUrl: () => Promise<string>;
  /** Calls the function after the test. */
  readonly onEnd: (end: () => unknown) => void;
}
