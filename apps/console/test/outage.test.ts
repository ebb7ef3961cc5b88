import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeTempFolder, startServer } from "../../server/test/start-server.ts";
import { openSignedIn, PATIENT, useBrowser } from "./open-console.ts";
import { append, many, recordRun } from "./record-run.ts";

describe("an outage of the server", () => {
  useBrowser();

  it("the console shows an outage, and the run continues where it was after it", async () => {
    const env = {
      STORE_URL: `sqlite:${join(await makeTempFolder(), "runs.db")}`,
      SESSION_SECRET: "a secret that these servers share",
    };
    const { url, page, killServer } = await openSignedIn(env);
    await recordRun(url, "r", many("LOG", 2));
    await page.goto(`${url}/#/runs/r`);
    await page.locator("#event-2").waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await killServer();
    await page.getByText("reconnecting", { exact: true }).waitFor();
    await page.getByText(/ Trying again\.$/).waitFor();
    await page.getByRole("navigation").getByText("No server answers at").waitFor();
    await startServer({ ...env, PORT: new URL(url).port });
    await append(url, "r", many("LOG", 2));
    await expect
      .poll(() => page.locator(".sequence").allInnerTexts(), PATIENT)
      .toEqual(["1", "2", "3", "4"]);
    await page.getByText("live", { exact: true }).waitFor();
    await expect.poll(() => page.getByText("No server answers at").count(), PATIENT).toBe(0);
  });

  it("the console does not take another program's page for the server's answer", async () => {
    const { page } = await openSignedIn();
    const answer = { status: 200, contentType: "text/html", body: "<p>Welcome</p>" };
    await page.route("**/v1/agent-runs?*", async (route) => route.fulfill(answer));
    // The list may have been read before.
    await page.reload();
    await page.getByText("GET /v1/agent-runs answered 200 text/html").waitFor();
    await page.unroute("**/v1/agent-runs?*");
    await page.getByText("You have no runs yet.").waitFor();
    await page.route("**/v1/session", async (route) => route.fulfill(answer));
    await page.reload();
    await page.getByText("GET /v1/session answered 200 text/html").waitFor();
    await page.unroute("**/v1/session");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("You have no runs yet.").waitFor();
  });
});
