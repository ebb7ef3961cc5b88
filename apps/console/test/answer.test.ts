import { expect, it } from "vitest";
import { call } from "../../server/test/client.ts";
import { ADA } from "../../server/test/start-server.ts";
import { openSignedIn, PATIENT, useBrowser, useSharedServer } from "./open-console.ts";
import { append, recordRun } from "./record-run.ts";

useBrowser();
useSharedServer();

/** The inputs of a run. */
async function inputs(url: string, runId: string): Promise<readonly unknown[]> {
  const answer = await call(`${url}/v1/agent-runs/${runId}/events`, ADA);
  const { events } = (await answer.json()) as {
    readonly events: readonly { readonly eventType: string; readonly payload: unknown }[];
  };
  return events
    .filter(({ eventType }) => eventType === "INPUT_RECEIVED")
    .map(({ payload }) => payload);
}

it("W38, W39: a waiting run shows its question, takes an answer in words, and goes on", async () => {
  const { url, page } = await openSignedIn();
  await recordRun(url, "r", [{ eventType: "LOG" }]);
  await page.goto(`${url}/#/runs/r`);
  await page.locator("#event-1").waitFor();
  const form = page.getByRole("form", { name: "Milk or sugar?" });
  expect(await form.count()).toBe(0);
  await append(url, "r", [
    { eventType: "INPUT_REQUESTED", payload: { question: "Milk or sugar?" } },
  ]);
  await form.getByLabel("Your answer").fill("Both.");
  await page.getByRole("link", { name: /^r [^]*waiting/ }).waitFor();
  await form.getByRole("button", { name: "Answer" }).click();
  await form.waitFor({ state: "detached" });
  expect(await inputs(url, "r")).toEqual(["Both."]);
  await page.getByRole("link", { name: /^r [^]*running/ }).waitFor();
  await append(url, "r", [{ eventType: "INPUT_REQUESTED", payload: "And now?" }]);
  const next = page.getByRole("form", { name: "And now?" });
  expect(await next.getByLabel("Your answer").inputValue()).toBe("");
});

it("W39: a question of the kind approval is approved with the keyboard alone, and the focus goes to the run's heading", async () => {
  const { url, page } = await openSignedIn();
  const payload = { question: "Send the mail?", kind: "approval" };
  await recordRun(url, "r", [{ eventType: "INPUT_REQUESTED", payload }], { title: "The mail" });
  await page.getByRole("link", { name: "The mail" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("form", { name: "Send the mail?" }).waitFor();
  const focus = (): Promise<string> =>
    page.evaluate(() => document.activeElement?.textContent ?? "");
  await expect.poll(focus, PATIENT).toBe("The mail");
  await page.keyboard.press("Tab");
  expect(await focus()).toBe("Cancel run");
  await page.keyboard.press("Tab");
  expect(await focus()).toBe("Approve");
  await page.keyboard.press("Enter");
  await expect.poll(() => inputs(url, "r"), PATIENT).toEqual([{ approved: true }]);
  await expect.poll(focus, PATIENT).toBe("The mail");
});

it("W39: the answer to a question with a schema is sent as JSON, and text that is not JSON is not sent", async () => {
  const { url, page } = await openSignedIn();
  const payload = { question: "Where to?", schema: { type: "object" } };
  await recordRun(url, "r", [{ eventType: "INPUT_REQUESTED", payload }]);
  await page.goto(`${url}/#/runs/r`);
  const field = page.getByLabel("Your answer, as JSON");
  const answer = page.getByRole("button", { name: "Answer" });
  for (const [text, problem] of [
    ["Main 1", "Expected object, got text that is not JSON."],
    ["7", "Expected object, got number."],
  ] as const) {
    await field.fill(text);
    await answer.click();
    await page.getByRole("alert").getByText(problem).waitFor();
  }
  expect(await inputs(url, "r")).toEqual([]);
  await field.fill(' {"street": "Main 1"}');
  await answer.click();
  await expect.poll(() => inputs(url, "r"), PATIENT).toEqual([{ street: "Main 1" }]);
  await page.locator("#event-2").getByText('{"street":"Main 1"}', { exact: true }).waitFor();

  await append(url, "r", [{ eventType: "INPUT_REQUESTED", payload: "In words?" }]);
  await page.getByLabel("Your answer", { exact: true }).fill('{"street":"Main 1"}');
  await answer.click();
  await expect
    .poll(() => inputs(url, "r").then((all) => all[1]), PATIENT)
    .toBe('{"street":"Main 1"}');
  const quoted = '"{\\"street\\":\\"Main 1\\"}"';
  await page.locator("#event-4").getByText(quoted, { exact: true }).waitFor();
});

it("W39: an answer that the server refuses stays in the form, with the reason, and can be sent again", async () => {
  const { url, page } = await openSignedIn({}, { maySay: /413/ });
  await recordRun(url, "r", [{ eventType: "INPUT_REQUESTED", payload: "Which?" }]);
  await page.goto(`${url}/#/runs/r`);
  const field = page.getByLabel("Your answer");
  await field.fill("x".repeat(300_000));
  await page.getByRole("button", { name: "Answer" }).click();
  await page.getByRole("alert").getByText("What this means").waitFor();
  expect((await field.inputValue()).length).toBe(300_000);
  await field.fill("This one.");
  await page.getByRole("button", { name: "Answer" }).click();
  await expect.poll(() => inputs(url, "r"), PATIENT).toEqual(["This one."]);
});
