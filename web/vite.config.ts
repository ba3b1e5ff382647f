import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { bounded, compressed } from "./compressed.ts";

/** Where a `passerelle dev` runs that `npm run dev` shows, and its demo.json (see web/README.md). */
const server = process.env["PASSERELLE_URL"] ?? "http://localhost:8080";
const demo = process.env["PASSERELLE_DEMO"];
const headers: Record<string, string> = {};
if (demo) {
  const { organizationToken } = JSON.parse(readFileSync(demo, "utf8")) as { organizationToken: string };
  headers["Authorization"] = `Bearer ${organizationToken}`;
}

export default defineConfig({
  base: "/app/",
  plugins: [react(), compressed(), bounded()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    proxy: { "^/(?!app(/|$))": { target: server, headers } },
  },
  build: {
    outDir: "../src/passerelle/dashboard/static",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    // A data: address would be refused by the page's policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
  },
  // The server may live under a path, which it puts on addresses in the page: files find each other beside themselves.
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === "html" ? `/app/${name}` : { relative: true }),
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"] },
});
