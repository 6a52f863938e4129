/** Records what a RUN sees in a real BuildKit: test/surroundings/expected.json. */
import * as fs from "node:fs";
import { join } from "node:path";

import { readMember } from "../../test/surroundings/member.js";
import {
  parseSurroundings,
  resultName,
  type Surroundings,
  surroundingsCase,
  type Variant,
  variants,
} from "../../test/surroundings/surroundings.js";
import { buildWithPeer, type Peer, readProvenance } from "./peer.js";

export async function recordSurroundings(repository: string, peer: Peer, made: string): Promise<void> {
  const folder = join(repository, "test/surroundings");
  const found: Record<string, Surroundings> = {};
  for (const variant of Object.keys(variants) as Variant[]) {
    const result = await buildWithPeer(peer, surroundingsCase(variant, folder), new Map());
    if ("refused" in result) throw new Error(`${variant}: ${result.refused}`);
    found[variant] = parseSurroundings(readMember(result.image, resultName));
  }
  const document = { provenance: await readProvenance(peer, made), variants: found };
  fs.writeFileSync(join(folder, "expected.json"), `${JSON.stringify(document, null, 1)}\n`);
}
