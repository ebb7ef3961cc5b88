import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSecretFiles, SECRET_VARIABLES } from "../src/secret-variables.ts";
import { parseSettings, type Settings } from "../src/settings.ts";
import { makeTempFolder } from "./start-server.ts";

const SECRET = "s".repeat(32);

type Env = Readonly<Record<string, string>>;

function read(env: Env): { readonly settings: Settings } | { readonly malformed: string } {
  const given = readSecretFiles(SECRET_VARIABLES, env);
  return "malformed" in given ? given : parseSettings(given.env, given.sources);
}

/** Files with these texts, as variables that name them. */
async function filesOf(texts: Env): Promise<Env> {
  const folder = await makeTempFolder();
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return [name, path];
    }),
  );
}

describe("a secret in a file", () => {
  it("a secret in a file is the same as in the variable, without the white space around it", async () => {
    const env = {
      STORE_URL: "postgres://ada:hunter2@db/runs",
      API_TOKENS: "ada=a,bob=b",
      SESSION_SECRET: SECRET,
    };
    const files = await filesOf({
      STORE_URL_FILE: `${env.STORE_URL}\n`,
      API_TOKENS_FILE: "ada=a\nbob=b\n",
      SESSION_SECRET_FILE: ` ${SECRET}\r\n`,
    });
    expect(Object.keys(files)).toEqual(SECRET_VARIABLES.map((name) => `${name}_FILE`));
    expect(read(files)).toEqual(read(env));
  });

  it("blank lines of a file of tokens are ignored", async () => {
    const blank = await filesOf({
      API_TOKENS_FILE: "\n\r\n  ada=a\r\n\t\n\nbob=b, ada=c\n \n",
    });
    expect(read(blank)).toEqual(read({ API_TOKENS: "ada=a,bob=b,ada=c" }));
    expect(read({ API_TOKENS: "\nada=a\n\nbob=b\n" })).toEqual(read({ API_TOKENS: "ada=a,bob=b" }));
  });

  it("a line of a file of tokens that is not blank has to be whole", async () => {
    for (const text of ["ada=a\n,\nbob=b", "ada=a,\nbob=b", "ada=hunter2\nbob", "\n=hunter2\n"]) {
      const parsed = read(await filesOf({ API_TOKENS_FILE: text }));
      expect(parsed).toEqual({ malformed: expect.stringMatching(/^API_TOKENS_FILE: expected /) });
      expect(JSON.stringify(parsed)).not.toContain("hunter2");
    }
  });

  it("a file that is not UTF-8 is refused, and not shown", async () => {
    const hunter = Buffer.from("ada=hunter2-hunter2-hunter2-hunter2");
    const files = {
      "one byte": Buffer.concat([hunter, Buffer.from([0xff])]),
      "a character that is cut off": Buffer.concat([hunter, Buffer.from("€").subarray(0, 2)]),
      "a surrogate": Buffer.concat([hunter, Buffer.from([0xed, 0xa0, 0x80])]),
      "UTF-16": Buffer.from(`\ufeff${hunter.toString()}`, "utf16le"),
      "random bytes": Buffer.from("ff".repeat(32), "hex"),
    };
    for (const name of SECRET_VARIABLES)
      for (const [what, bytes] of Object.entries(files)) {
        const path = join(await makeTempFolder(), "secret");
        writeFileSync(path, bytes);
        const parsed = read({ [`${name}_FILE`]: path });
        expect([what, parsed]).toEqual([
          what,
          {
            malformed: `${name}_FILE: expected a file that this user can read, but ${path} is not UTF-8 text`,
          },
        ]);
      }
  });

  it("a byte order mark at the start of a file does not count", async () => {
    expect(read(await filesOf({ API_TOKENS_FILE: "\ufeffada=a\n" }))).toEqual(
      read({ API_TOKENS: "ada=a" }),
    );
  });

  it("a secret in a file is refused if the variable itself is set too", async () => {
    for (const name of SECRET_VARIABLES) {
      const files = await filesOf({ [`${name}_FILE`]: "hunter2" });
      expect(read({ ...files, [name]: "hunter2" })).toEqual({
        malformed: `${name}_FILE: expected it or ${name}, got both; unset one of them`,
      });
    }
  });

  it("a malformed secret in a file is named by the file's variable, and not shown", async () => {
    for (const name of SECRET_VARIABLES) {
      const parsed = read(await filesOf({ [`${name}_FILE`]: "hunter2" }));
      expect(parsed).toEqual({ malformed: expect.stringMatching(`^${name}_FILE: expected `) });
      expect(JSON.stringify(parsed)).not.toContain("hunter2");
    }
  });

  it("a secret that a file's variable holds by mistake is not shown", () => {
    for (const name of SECRET_VARIABLES) {
      const parsed = read({ [`${name}_FILE`]: "postgres://ada:hunter2@db/runs" });
      expect(parsed).toEqual({ malformed: expect.stringContaining("failed: ENOENT") });
      expect(JSON.stringify(parsed)).not.toContain("hunter2");
    }
  });

  it("a secret is refused where its file cannot be read or is empty", async () => {
    const folder = await makeTempFolder();
    mkdirSync(join(folder, "folder"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    writeFileSync(join(folder, "empty"), " \n");
    const flaws = {
      [join(folder, "missing")]: "but reading it failed: ENOENT",
      [join(folder, "folder")]: `but ${join(folder, "folder")} is not a regular file`,
      [join(folder, "pipe")]: `but ${join(folder, "pipe")} is not a regular file`,
      [join(folder, "empty")]: `but ${join(folder, "empty")} is empty`,
      "": "got an empty path",
    };
    for (const [path, flaw] of Object.entries(flaws)) {
      expect(read({ API_TOKENS_FILE: path })).toEqual({
        malformed: expect.stringContaining(
          `API_TOKENS_FILE: expected a file that this user can read, ${flaw}`,
        ),
      });
    }
  });

  it("a secret is read through a symbolic link, as Kubernetes mounts it", async () => {
    const { API_TOKENS_FILE = "" } = await filesOf({ API_TOKENS_FILE: "ada=a" });
    symlinkSync(API_TOKENS_FILE, `${API_TOKENS_FILE}-link`);
    expect(read({ API_TOKENS_FILE: `${API_TOKENS_FILE}-link` })).toEqual(
      read({ API_TOKENS: "ada=a" }),
    );
  });
});
