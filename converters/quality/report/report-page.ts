import { escapeHtml } from './plots.ts';

/** The whole report in one file: it needs no network and no other file. */
export function reportPage({
  title,
  overview,
  sections,
}: {
  readonly title: string;
  /** HTML that comes before the episodes. */
  readonly overview: string;
  /** HTML of one episode each. */
  readonly sections: readonly string[];
}): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escapeHtml(title)}</h1>
${overview}
${sections.join('\n')}
</main>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1d2430, #e4e8ee); --soft: light-dark(#667082, #94a0b3);
  --rule: light-dark(#d9dee6, #343c49); --paper: light-dark(#fff, #161a21); --bad: light-dark(#b3261e, #ff8a80);
  --doubt: light-dark(#8a5a00, #ffc766); --good: light-dark(#1c6e3d, #7bd69c);
  --c0: light-dark(#2563c9, #7fb2ff); --c1: light-dark(#b8560b, #ffb067); --c2: light-dark(#1c7a55, #69d3a2);
  --c3: light-dark(#8a3fb0, #d59bff); --c4: light-dark(#ad2f5c, #ff92b4); --c5: light-dark(#5d6b00, #cddc4c);
  --c6: light-dark(#006d80, #66d4e8); --c7: light-dark(#6b5344, #d4b7a3); }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 24px 20px 80px; }
h1 { font-size: 24px; } h2 { font-size: 19px; margin: 48px 0 4px; padding-top: 16px; border-top: 1px solid var(--rule); }
h3 { font-size: 15px; color: var(--soft); margin: 24px 0 4px; }
p { margin: 4px 0 12px; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 500; color: var(--soft); } th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small { color: var(--soft); font-weight: 400; }
.verdict { font-size: 13px; font-weight: 600; padding: 2px 8px; border-radius: 4px; border: 1px solid currentColor; vertical-align: 2px; }
.PASS, .pass { color: var(--good); } .EXCLUDE, .UNREADABLE, .fail { color: var(--bad); } .REVIEW, .warn, .UNKNOWN { color: var(--doubt); } .info, .not_assessed { color: var(--soft); }
figure { margin: 8px 0 14px; } figcaption { font-size: 13px; } svg { display: block; width: 100%; max-width: 900px; }
svg text { font: 10px system-ui, sans-serif; fill: var(--soft); } .axis { stroke: var(--rule); }
.line { fill: none; stroke-width: 1.4; } .reference { stroke: var(--soft); stroke-dasharray: 4 3; }
${Array.from({ length: 8 }, (_, i) => `.c${i} { stroke: var(--c${i}); }`).join(' ')}
.mark { fill: var(--bad); opacity: .22; }
.strip { display: flex; gap: 3px; overflow-x: auto; } img { border-radius: 3px; max-width: 100%; height: auto; } td img { width: 96px; margin-right: 4px; } .strip img { width: 100px; }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--soft); } li { font-size: 13px; }
a { color: var(--c0); }
`;
