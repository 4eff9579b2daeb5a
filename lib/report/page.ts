// The frame of a page that needs no other file: a policy that lets nothing in, style, script.
import { createHash } from 'node:crypto';
import { type Html, html, trusted } from './html.js';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';

/** A whole document. Its policy allows pictures within it and its own script, nothing else: neither requests nor other scripts. */
export function page(title: string, body: Html): string {
  const script = createHash('sha256').update(pageScript).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${script}'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(pageStyle)}</style>
</head>
<body>
${body}
<script>${trusted(pageScript)}</script>
</body>
</html>
`.markup;
}
