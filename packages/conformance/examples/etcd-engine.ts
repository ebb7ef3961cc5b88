import type { KvEngine } from "@tm/run-events-core/store";

/** Settings of {@link createEtcdEngine}. */
export interface EtcdEngineOptions {
  /** The client URLs of the nodes, such as `http://127.0.0.1:2379`. */
  readonly nodes: readonly string[];
  /** The start of all keys, so that several stores can share a cluster. */
  readonly prefix: string;
  /** As the nodes' `--max-txn-ops` and `--max-request-bytes`, whose defaults these are, less the frame of a request. */
  readonly limits?: KvEngine["limits"];
}

interface Answer {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range: Pick<Answer, "kvs"> }[];
}

interface WatchLine {
  readonly result?: { readonly events?: readonly { readonly kv: { readonly key: string } }[] };
}

/** An engine on a cluster of etcd 3.4 or later, over its JSON gateway. etcd has no clock, so the store keeps one. */
export function createEtcdEngine(options: EtcdEngineOptions): KvEngine {
  const { nodes, prefix, limits = { mostOps: 128, mostBytes: 1_500_000 } } = options;
  const closing = new AbortController();
  /** The node that is asked, by its index. */
  let current = 0;

  const encode = (text: string): string => Buffer.from(text).toString("base64");
  const decode = (base64: string): string => Buffer.from(base64, "base64").toString();
  const key = (text: string): string => encode(prefix + text);
  const unkey = (base64: string): string => decode(base64).slice(prefix.length);

  async function send(path: string, body: object, signal: AbortSignal): Promise<Response> {
    const url = `${nodes[current % nodes.length]}/v3/${path}`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(body), signal });
    if (response.ok) return response;
    throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
  }

  /** Asks one node. If it fails, the next call goes to the next one. */
  async function ask(path: string, body: object): Promise<Answer> {
    const asked = current;
    try {
      const response = await send(path, body, AbortSignal.timeout(5_000));
      return (await response.json()) as Answer;
    } catch (error) {
      if (current === asked) current += 1;
      throw error;
    }
  }

  /** Reads may be asked of one node after another. A commit may not: it may have landed although its node has failed. */
  async function askAny(path: string, body: object): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask(path, body);
      } catch (error) {
        if (tries >= nodes.length) throw error;
      }
    }
  }

  /** Calls with what others have written, until the store is closed. */
  async function watch(
    onKeys: (keys: readonly string[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const range = { key: encode(prefix), range_end: encode(`${prefix}\u007f`) };
    while (!signal.aborted) {
      try {
        const { body } = await send("watch", { create_request: range }, signal);
        let rest = "";
        for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) {
            const events = (JSON.parse(line) as WatchLine).result?.events ?? [];
            onKeys(events.map(({ kv }) => unkey(kv.key)));
          }
        }
      } catch {
        current += 1;
      }
      // The watch ended, or could not begin: a pause before the next one, so that an engine that is away is not asked without end.
      await new Promise((resolve) => void setTimeout(resolve, 250).unref());
    }
  }

  return {
    limits,
    read(work) {
      // The first answer has the revision of all that follow. Unless it is asked for one, etcd answers with all that was acknowledged.
      let first: Promise<Answer> | null = null;
      async function ranges(requests: readonly object[]): Promise<readonly Pick<Answer, "kvs">[]> {
        const before = first;
        const askAt = async (): Promise<Answer> => {
          const revision = (await before)?.header.revision;
          const success = requests.map((range) => ({ requestRange: { ...range, revision } }));
          return askAny("kv/txn", { success });
        };
        const answer = askAt();
        first ??= answer;
        return ((await answer).responses ?? []).map(({ response_range }) => response_range);
      }
      return work({
        async get(keys) {
          if (keys.length === 0) return [];
          const found = await ranges(keys.map((one) => ({ key: key(one) })));
          return found.map(({ kvs: [kv] = [] }) => (kv ? decode(kv.value ?? "") : null));
        },
        async scan({ from, to, limit, reverse }) {
          const order = { sort_target: "KEY", sort_order: reverse ? "DESCEND" : "ASCEND" };
          const [found] = await ranges([{ key: key(from), range_end: key(to), limit, ...order }]);
          return (found?.kvs ?? []).map(({ key: k, value: v = "" }) => ({
            key: unkey(k),
            value: decode(v),
          }));
        },
      });
    },
    async commit(checks, writes) {
      const { succeeded } = await ask("kv/txn", {
        compare: checks.map((check) => compare(check)),
        success: writes.map(({ key: written, value }) =>
          value === null
            ? { requestDeleteRange: { key: key(written) } }
            : { requestPut: { key: key(written), value: encode(value) } },
        ),
      });
      return succeeded === true;
    },
    watch(onKeys) {
      const watching = new AbortController();
      void watch(onKeys, AbortSignal.any([closing.signal, watching.signal]));
      return () => watching.abort();
    },
    async close() {
      closing.abort();
    },
  };

  function compare({ key: checked, value }: Parameters<KvEngine["commit"]>[0][number]): object {
    return value === null
      ? { key: key(checked), target: "VERSION", version: 0 }
      : { key: key(checked), target: "VALUE", value: encode(value) };
  }
}
