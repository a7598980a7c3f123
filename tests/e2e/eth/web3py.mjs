// web3.py, in a process of its own: web3py.py prints one line a test as the other suites do.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertEqual } from '../lib.mjs';
import { IS_VIGIL, KEYS } from './chain.mjs';
import { contracts } from './compile.mjs';

// run.sh makes it, with requirements.txt installed.
const PYTHON = process.env.VIGIL_E2E_PYTHON ?? 'python3';

export default function (chain) {
  return {
    'all of web3py.py': async () => {
      const folder = mkdtempSync(join(tmpdir(), 'vigil-e2e-'));
      const settings = join(folder, 'settings.json');
      writeFileSync(settings, JSON.stringify({ http: chain.http, ws: chain.ws, key: KEYS.web3py, isVigil: IS_VIGIL, contracts }));
      const script = fileURLToPath(new URL('web3py.py', import.meta.url));
      const child = spawn(PYTHON, ['-B', script, settings], { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      child.stdout.on('data', (chunk) => process.stdout.write(chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
      const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
      rmSync(folder, { recursive: true });
      assertEqual(code, 0, `exit code (${output})`);
    },
  };
}
