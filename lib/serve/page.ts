// The page at /: one file without a request to anywhere else. Its script and style run because the policy names their hashes.
import { createHash } from 'node:crypto';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';
import type { Answer } from './respond.js';

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' " +
  "fill='%232563eb'/%3E%3Cpath d='M8 22h16M8 16h11M8 10h6' stroke='white' stroke-width='3.5' stroke-linecap='round'/%3E%3C/svg%3E";

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>residua</title>
<link rel="icon" href="${icon}">
<style>${pageStyle}</style>
</head>
<body>
<header>
  <h1 id="name">residua</h1>
  <p id="facts">&nbsp;</p>
</header>
<main>
  <label id="zone">
    <input id="file" type="file" accept="image/jpeg,image/png,image/webp" multiple>
    <svg viewBox="0 0 48 48" aria-hidden="true"><rect x="5" y="9" width="38" height="30" rx="5"/><circle cx="16" cy="20" r="3.5"/><path d="M6 35l11-9 8 6 9-10 9 9"/></svg>
    <span><strong>Drop a picture here</strong><small>or choose one, or paste it. JPEG, PNG or WebP; nothing is kept.</small></span>
  </label>
  <section id="results" aria-live="polite" aria-label="Predictions"></section>
</main>
<footer>For programs: <code id="command"></code></footer>
<template id="card">
  <article>
    <figure><img alt=""></figure>
    <div class="answer">
      <p class="file"></p>
      <p class="best">&hellip;</p>
      <ol></ol>
      <p class="time"></p>
    </div>
  </article>
</template>
<script>${pageScript}</script>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but what the page has in it: pictures are the person's own (blob:) and the icon (data:). */
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(pageScript)}`,
  `style-src ${hashOf(pageStyle)}`,
  'img-src blob: data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const page: Answer = {
  status: 200,
  contentType: 'text/html; charset=utf-8',
  body: html,
  headers: { 'content-security-policy': policy },
};
