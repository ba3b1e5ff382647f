import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { brotliCompress, constants, gzip } from "node:zlib";
import { promisify } from "node:util";

import type { Plugin } from "vite";

const TEXT = new Set([".js", ".mjs", ".css", ".html", ".svg", ".json"]);
const SMALLEST = 1024;

/** Writes a `.br` and a `.gz` beside each file that is text, so that the server compresses nothing. */
export function compressed(): Plugin {
  return {
    name: "passerelle-compressed",
    apply: "build",
    async writeBundle({ dir }) {
      for (const entry of await readdir(dir!, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !TEXT.has(extname(entry.name))) continue;
        // The page itself is filled in for each request.
        if (entry.name === "index.html") continue;
        const path = join(entry.parentPath, entry.name);
        const plain = await readFile(path);
        if (plain.length < SMALLEST) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        await writeFile(`${path}.br`, await promisify(brotliCompress)(plain, { params }));
        await writeFile(`${path}.gz`, await promisify(gzip)(plain, { level: 9 }));
      }
    },
  };
}

const FIRST_LOAD = 250_000;

/** Refuses a build whose first page, Today, needs more script than a phone on the way should load: in bytes after gzip. */
export function bounded(most: number = FIRST_LOAD): Plugin {
  return {
    name: "passerelle-bounded",
    apply: "build",
    async generateBundle(_, bundle) {
      const wanted = Object.values(bundle).flatMap((one) =>
        one.type === "chunk" && (one.isEntry || one.facadeModuleId?.endsWith("/TodayPage.tsx")) ? [one.fileName] : [],
      );
      if (wanted.length < 2) this.error("the entry or the first page is not a chunk of its own any more: mend compressed.ts");
      const loaded = new Set<string>();
      for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
        const chunk = bundle[name];
        if (chunk?.type !== "chunk" || loaded.has(name)) continue;
        loaded.add(name);
        wanted.push(...chunk.imports);
      }
      const sizes = [...loaded].map(async (name) => {
        const chunk = bundle[name];
        return chunk?.type === "chunk" ? (await promisify(gzip)(chunk.code, { level: 9 })).length : 0;
      });
      const size = (await Promise.all(sizes)).reduce((sum, one) => sum + one, 0);
      if (size > most) this.error(`the first load is ${size} bytes of compressed script; at most ${most} are wanted`);
      this.info(`the first load is ${size} bytes of compressed script, in ${loaded.size} files`);
    },
  };
}
