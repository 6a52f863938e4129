import { describe, expect, it } from "vitest";

import {
  parseAptList,
  parseAptStanzas,
  parseCodename,
  planAptEntries,
  renderAptConfiguration,
  renderAptEntries,
} from "./apt-configuration.js";

const archive = {
  uris: ["http://mirror.example.org/debian"],
  components: ["main"],
  signedBy: "/usr/share/keyrings/k.gpg",
};

describe("parseAptList", () => {
  it("reads lines with and without options, and passes over comments", () => {
    const raw = [
      "# deb http://old/debian bookworm main",
      "deb http://mirror.example.org/debian bookworm main contrib # the archive",
      "deb-src [ arch=amd64 signed-by=/k.gpg trusted=yes ] https://x.example/debian trixie main",
      "deb cdrom:[Debian]/ bookworm main",
      "nonsense",
      "",
    ].join("\n");
    expect(parseAptList(raw)).toEqual([
      {
        uris: ["http://mirror.example.org/debian"],
        suites: ["bookworm"],
        components: ["main", "contrib"],
        signedBy: undefined,
      },
      { uris: ["https://x.example/debian"], suites: ["trixie"], components: ["main"], signedBy: "/k.gpg" },
      { uris: ["cdrom:[Debian]/"], suites: ["bookworm"], components: ["main"], signedBy: undefined },
    ]);
  });
});

describe("parseAptStanzas", () => {
  it("reads stanzas, with a key of several lines, and leaves out what is disabled", () => {
    const raw = [
      "Types: deb deb-src",
      "# a comment",
      "URIs: http://mirror.example.org/debian",
      "Suites: bookworm bookworm-updates",
      "Components: main",
      "Signed-By:",
      " -----BEGIN PGP PUBLIC KEY BLOCK-----",
      " .",
      " abc",
      "",
      "Enabled: no",
      "URIs: http://other/",
      "",
    ].join("\n");
    const [entry, ...rest] = parseAptStanzas(raw);
    expect(rest).toEqual([]);
    expect(entry).toMatchObject({ uris: archive.uris, suites: ["bookworm", "bookworm-updates"], components: ["main"] });
    expect(renderAptEntries(entry === undefined ? [] : [entry])).toContain(
      "Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
    );
  });
});

describe("planAptEntries", () => {
  const machine = [
    { ...archive, suites: ["bookworm", "bookworm-updates"] },
    { ...archive, uris: ["http://mirror.example.org/debian-security"], suites: ["bookworm-security"] },
    { ...archive, uris: ["https://vendor.example/apt"], suites: ["nodistro"] },
    { ...archive, uris: ["https://vendor.example/docker"], suites: ["bookworm"], components: ["stable"] },
  ];

  it("adds the suites to the archive that has them, and leaves out other people's archives", () => {
    expect(planAptEntries(machine, "bookworm", ["trixie", "bullseye-security"])).toEqual([
      { ...archive, suites: ["bookworm", "bookworm-updates", "trixie"] },
      { ...machine[1], suites: ["bookworm-security", "bullseye-security"] },
    ]);
  });

  it("takes the first archive of a rolling release", () => {
    const rolling = [{ ...archive, suites: ["sid"] }];
    expect(planAptEntries(rolling, undefined, ["bullseye"])).toEqual([{ ...archive, suites: ["sid", "bullseye"] }]);
  });

  it.each(["a b", "../x", "", "sid\nDeb: x", "-x"])("refuses the suite %j", (suite) => {
    expect(() => planAptEntries(machine, "bookworm", [suite])).toThrow(
      expect.objectContaining({ kind: "malformed", code: "bad-suite" }),
    );
  });
});

describe("renderAptConfiguration", () => {
  it("keeps the way to the network and nothing that weakens a check or runs a program after an update", () => {
    const dump = [
      'Acquire::http::Proxy "http://proxy.example:3128/";',
      'Acquire::http::Proxy::mirror.example "DIRECT";',
      'Acquire::https::CaInfo "/etc/ssl/ca.pem";',
      'Acquire::AllowInsecureRepositories "1";',
      'APT::Get::AllowUnauthenticated "1";',
      'APT::Update::Post-Invoke:: "rm -rf /";',
      'Acquire::http::Pipeline-Depth "x"; APT::Update::Post-Invoke:: "y";',
      'DPkg::Pre-Install-Pkgs:: "z";',
    ].join("\n");
    const made = renderAptConfiguration("/private", dump).split("\n");
    expect(made.slice(0, 3)).toEqual(dump.split("\n").slice(0, 3));
    expect(made.join("\n")).not.toMatch(/Invoke|Pipeline|Pre-Install|"1"/);
    expect(made).toContain('Acquire::AllowInsecureRepositories "false";');
    expect(made).toContain('Dir::State::lists "/private/lists";');
  });
});

it("parseCodename reads os-release", () => {
  expect(parseCodename('NAME="Debian"\nVERSION_CODENAME=bookworm\nID=debian\n')).toBe("bookworm");
  expect(parseCodename("ID=debian\n")).toBeUndefined();
});
