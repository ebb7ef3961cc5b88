import OpenAI from "openai";
import { expect, it } from "vitest";
import { ADA, hasEvents, openPlace } from "./two-servers.ts";

const WORDS = "one two three four five";

/** The second word takes until the server is killed. */
const STUCK = [
  "await setTimeout(100,",
  'await setTimeout(delta === "You " ? 0 : 300_000,',
] as const;

/** Reads the events of a response that follow this one, up to the end. */
async function read(
  client: OpenAI,
  id: string,
  after?: number,
): Promise<readonly OpenAI.Responses.ResponseStreamEvent[]> {
  const query = after === undefined ? {} : { starting_after: after };
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  const stream = await client.responses.retrieve(id, { stream: true, ...query });
  for await (const event of stream) events.push(event);
  return events;
}

const connect = (url: string, apiKey = "a-token-of-ada"): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

const textOf = (events: readonly OpenAI.Responses.ResponseStreamEvent[]): string =>
  events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");

it("a response in the background is read from any server, from any number on, and is whole in the end", async () => {
  const { start } = await openPlace("openai-responses.mjs");
  const [first, second] = await Promise.all([start(), start()]);
  const [here, there] = [connect(first.url), connect(second.url)];
  const created = await here.responses.create({ model: "m", input: WORDS, background: true });
  expect(created).toMatchObject({ object: "response", model: "m", status: "in_progress" });
  const live = read(here, created.id);
  const part: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of await there.responses.retrieve(created.id, { stream: true })) {
    part.push(event);
    if (part.length === 3) break;
  }
  const rest = await read(there, created.id, part.at(-1)?.sequence_number);
  const whole = await live;
  expect([...part, ...rest]).toEqual(whole);
  expect(whole.map(({ sequence_number }) => sequence_number)).toEqual(whole.map((_, at) => at));
  expect([whole[0]?.type, whole.at(-1)?.type]).toEqual(["response.created", "response.completed"]);
  expect(textOf(whole)).toBe(`You said: ${WORDS}`);
  const ended = await there.responses.retrieve(created.id);
  expect(ended.output_text).toBe(`You said: ${WORDS}`);
  const { output, status } = await here.responses.cancel(created.id);
  expect({ output, status }).toEqual({ output: ended.output, status: "completed" });
  const bob = connect(first.url, "a-token-of-bob");
  await expect(bob.responses.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
  await expect(connect(first.url, "none").responses.retrieve(created.id)).rejects.toMatchObject({
    status: 401,
  });
});

it("a response whose server is killed fails for its readers, after all that was made, and one that is cancelled ends", async () => {
  const { runs, start } = await openPlace("openai-responses.mjs");
  const [first, second] = await Promise.all([start(STUCK), start(STUCK)]);
  const [here, there] = [connect(first.url), connect(second.url)];
  const { id } = await here.responses.create({ model: "m", input: WORDS, background: true });
  await expect.poll(() => hasEvents(runs, "RESPONSE", 2)).toBe(true);
  const live = read(there, id);
  await first.end("SIGKILL");
  const events = await live;
  expect(textOf(events)).toBe("You ");
  expect(events.at(-1)).toMatchObject({ type: "response.failed", response: { status: "failed" } });
  const other = await there.responses.create({ model: "m", input: WORDS, background: true });
  const reading = read(there, other.id);
  expect(await there.responses.cancel(other.id)).toMatchObject({ status: "cancelled" });
  expect((await reading).at(-1)).toMatchObject({
    type: "response.incomplete",
    response: { status: "cancelled" },
  });
});

it("a number that no event of the response can have is refused, and so is a body that is not JSON", async () => {
  const { start } = await openPlace("openai-responses.mjs");
  const { url } = await start();
  const client = connect(url);
  const { id } = await client.responses.create({ model: "m", input: WORDS, background: true });
  const all = await read(client, id);
  const last = all.length - 1;
  expect(await read(client, id, last)).toEqual([]);
  const shape = { status: 400, type: "invalid_request_error" };
  for (const beyond of [last + 1, 1e300, -2, 0.5, "x", ""]) {
    const refused = read(client, id, beyond as number);
    await expect(refused).rejects.toMatchObject({ ...shape, param: "starting_after" });
  }
  const response = await fetch(`${url}/v1/responses`, { method: "POST", headers: ADA, body: "{" });
  expect(response.status).toBe(400);
  const error = { type: "invalid_request_error", param: null, code: null };
  expect(await response.json()).toMatchObject({ error });
});
