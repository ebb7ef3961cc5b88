import { Client } from "undici";
import { serveParent } from "./child.ts";

/** Requests to send, this many at any time as there are paths, each over a connection of its own. */
interface HttpLoad {
  readonly port: number;
  /** One a connection. */
  readonly paths: readonly string[];
  readonly body: string;
  readonly requests: number;
}

/** A process that sends requests. */
export interface HttpLoader {
  /**
   * Sends all requests.
   * @throws for an answer of another status than 2xx
   */
  send(load: HttpLoad): Promise<void>;
}

const headers = { "content-type": "application/json", authorization: "Bearer of-the-bench" };

serveParent<HttpLoader>({
  async send({ port, paths, body, requests }) {
    let left = requests;
    await Promise.all(
      paths.map(async (path) => {
        const client = new Client(`http://127.0.0.1:${port}`);
        while (left-- > 0) {
          const answer = await client.request({ method: "POST", path, headers, body });
          const text = await answer.body.text();
          if (answer.statusCode >= 300) throw new Error(`${path}: ${answer.statusCode} ${text}`);
        }
        await client.close();
      }),
    );
  },
});
