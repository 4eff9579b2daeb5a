// fit: a process killed at any moment never leaves a damaged checkpoint, and loses at most the work since the last one.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readCheckpoint } from '../../lib/train/checkpoint.js';

const child = fileURLToPath(new URL('fit-kill-child.ts', import.meta.url));
const kills = 50;
const chains = 2; // side by side, each with a folder and a thread of its own

/** Runs the child until it saved `saves` checkpoints and so many milliseconds more; returns what it printed. */
function runAndKill(folder: string, saves: number, milliseconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, ['--import', 'tsx', child, folder], {
      env: { ...process.env, RESIDUA_THREADS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [text, errors] = ['', ''];
    const count = () => text.split('saved ').length - 1;
    process_.stdout.on('data', (data) => {
      const before = count();
      text += data;
      if (before < saves && count() >= saves) setTimeout(() => process_.kill('SIGKILL'), milliseconds);
    });
    process_.stderr.on('data', (data) => {
      errors += data;
    });
    process_.on('error', reject);
    process_.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(text);
      else reject(new Error(`The child ended by itself: ${errors}`));
    });
  });
}

/** Kills a run at random moments, again and again; each one resumes where the last one was killed. */
async function killOften(folder: string, times: number): Promise<void> {
  for (let kill = 0; kill < times; kill++) {
    const text = await runAndKill(folder, 2, Math.random() * 60);
    expect(text).not.toContain('warning');
    const told = [...text.matchAll(/saved (\d+)\n/g)].map(([, step]) => Number(step));
    const names = (await readdir(folder)).filter((name) => name.startsWith('step-')).sort();
    const states = await Promise.all(names.map((name) => readCheckpoint(join(folder, name))));
    // A checkpoint may be there of which the child could not tell any more.
    expect(states.at(-1)?.step).toBeGreaterThanOrEqual(told.at(-1) as number);
  }
}

test(`${kills} kills at random moments leave whole checkpoints alone`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'residua-kill-'));
  try {
    const folders = Array.from({ length: chains }, (_, chain) => join(folder, String(chain)));
    await Promise.all(folders.map((each) => killOften(each, kills / chains)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 300_000);
