/** A tree of four targets that builds in about a second: files, RUNs with and without shell, images on images. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";

const applets =
  "[ cat chmod chown cp cut dd echo env find head id ln ls mkdir mknod mount mv ps rm seq sh sha256sum sleep sort stat tail tar touch true wc";

/** Path below the tree to its text. */
export type TreeText = Readonly<Record<string, string>>;

/** Files of one package without sources. */
export function packageText(stage: string, name: string, containerfile: string, extra = ""): TreeText {
  const folder = `packages/${stage}/${name}`;
  const toml = `[package]\nname = "${name}"\ndescription = "d"\nlicense = "MIT"\nwebsite = "https://example.org"\n`;
  const version = extra.includes("version") ? "" : 'version = "1.0"\n';
  return { [`${folder}/Containerfile`]: containerfile, [`${folder}/package.toml`]: toml + version + extra };
}

/** What every tree here stands on: the machine's static busybox, with a link for each applet. */
export const shellPackage = packageText(
  "core",
  "shell",
  `FROM scratch
COPY bin/ /bin/
RUN ["/bin/busybox", "ln", "-s", "bin/busybox", "/linuxrc"]
`,
);

export const smallTree: TreeText = {
  ...shellPackage,
  ...packageText(
    "core",
    "one",
    `FROM stagex/core-shell AS build
COPY data.txt /src/
# a comment
RUN --network=none <<EOF
set -e
mkdir -p /out/share
# a comment of the body is content
cat /src/data.txt > /out/share/data
sleep 0.1
EOF
RUN --network=none for i in 1 2 3 4 5; do echo $i > /out/share/$i; done && \\
    # between continued lines
    ln /out/share/1 /out/share/hard && chmod 4755 /out/share/2 && sleep 0.1
FROM scratch
COPY --from=build /out/ /usr/
`,
  ),
  "packages/core/one/data.txt": "data of one\n",
  "packages/core/one/unused.txt": "nobody copies it\n",
  ...packageText(
    "core",
    "two",
    `FROM stagex/core-shell AS build
COPY --from=stagex/core-one . /
WORKDIR /work
RUN --network=none dd if=/dev/zero of=/work/zeros bs=1024 count=300 && sha256sum /usr/share/data > sum && sleep 0.1
RUN --network=none rm -r /usr/share && mkdir /usr/share && echo new > /usr/share/new && sleep 0.1
FROM scratch
COPY --from=build /work /work
COPY --from=build /usr /usr
`,
  ),
  ...packageText(
    "user",
    "three",
    `FROM stagex/core-two
COPY --from=stagex/core-shell /bin/busybox /bin/
RUN --network=none ["/bin/busybox", "sh", "-c", "echo three > /three; busybox chown 7:8 /three"]
ENTRYPOINT ["/bin/busybox"]
`,
  ),
};

export const smallTreeTargets = ["core-one", "core-shell", "core-two", "user-three"];

/** Writes the tree, with the machine's static busybox where the shell's package wants it. */
export function writeTree(root: string, text: TreeText = smallTree): string {
  writeText(root, text);
  if (text["packages/core/shell/Containerfile"] !== undefined) placeBusybox(join(root, "packages/core/shell/bin"));
  return root;
}

export function writeText(root: string, text: TreeText): void {
  for (const [path, content] of Object.entries(text)) {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    fs.writeFileSync(join(root, path), content);
  }
}

export function placeBusybox(folder: string): void {
  const busybox = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(busybox, join(folder, "busybox"));
  fs.chmodSync(join(folder, "busybox"), 0o755);
  for (const applet of applets.split(" ")) fs.symlinkSync("busybox", join(folder, applet));
}

/** Lets every user read what lies below the folder, and enter the folder itself. */
export function shareFolder(folder: string): string {
  execFileSync("chmod", ["-R", "go+rX", folder]);
  return folder;
}
