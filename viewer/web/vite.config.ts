import { fileURLToPath } from 'node:url';
import type { UserConfig } from 'vite';

/** One bundle without anything from outside: the page works offline. */
export default {
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    outDir: fileURLToPath(new URL('../../dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    // The page's security policy allows files of its own only.
    assetsInlineLimit: 0,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
} satisfies UserConfig;
