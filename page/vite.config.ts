// The page's build: everything from the service itself, nothing inline, so that the strictest policy can hold.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

// Images that a stylesheet carries inside itself become files: the page's policy takes images of the service and of
// the bucket, and no `data:`.
function emitInlineImages(): Plugin {
  const image = /url\("data:image\/svg\+xml;[^,"]*,([^"]*)"\)/g;
  return {
    name: "emit-inline-images",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      if (!id.split("?")[0]!.endsWith(".css")) return undefined;
      return code.replace(image, (_, encoded: string) => {
        const source = decodeURIComponent(encoded);
        const file = this.emitFile({ type: "asset", name: "picture.svg", source });
        return `url("/page/${this.getFileName(file)}")`;
      });
    },
  };
}

// A compressed copy beside each text file, once it is as it will be: the service sends it as it is.
function compress(): Plugin {
  return {
    name: "compress",
    apply: "build",
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle).filter((name) => /\.(js|css|svg)$/.test(name))) {
        const path = join(options.dir!, name);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/page/",
  plugins: [emitInlineImages(), compress()],
  build: {
    outDir: "../src/keyhole/service/page",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    reportCompressedSize: true,
  },
});
