// What the end-to-end tests share: a localnet of real processes, JSON-RPC, and polling with a deadline.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const VIGIL = process.env.VIGIL_BIN;
// The Ethereum clients can be tried on a node that runs already (ethereum.mjs).
if (!VIGIL && !process.env.VIGIL_ETH_HTTP) throw new Error('VIGIL_BIN is not set; run tests/e2e/run.sh');

export const DEV_ADDRESS = '0x2E833968E5bB786Ae419c4d13189fB081Cc43bab';
export const DEV_KEY = '0x93a90ea508331dfdf27fb79757d4250b4e84954927ba0073cd67454ac432c737';
export const RECIPIENT = '0x9F1233798E905E173560071255140b4A8aBd3Ec6';

export function assert(condition, message) {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

export function assertEqual(got, want, what) {
  assert(got === want, `${what}: got ${got}, want ${want}`);
}

export function tempDir() {
  return mkdtempSync(join(tmpdir(), 'vigil-e2e-'));
}

// Asks again until `probe` gives something true; the deadline only ends a hanging test, it is no timing claim.
export async function until(what, probe, seconds = 120) {
  const deadline = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < deadline) {
    if (running?.exited && !running.stopping) {
      throw new Error(`the localnet ended (${JSON.stringify(running.exited)}) before: ${what}\n${running.log}`);
    }
    try {
      const answer = await probe();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`gave up after ${seconds} s: ${what}${last ? ` (${last.message})` : ''}`);
}

let nextId = 0;
export async function rpc(url, method, params = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params }),
  });
  const answer = JSON.parse(await response.text());
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

export async function settledHeight(url) {
  return Number((await rpc(url, 'theta.GetStatus')).latest_finalized_block_height);
}

// The localnet that a test runs against: when it ends by itself, waiting for it ends too.
let running;

// A localnet of real processes. `stop()` ends it as Ctrl-C would and answers what it printed last.
export class Localnet {
  static async start({ basePort, args = [], home, dataDir = tempDir() }) {
    const net = new Localnet();
    running = net;
    net.basePort = basePort;
    net.dataDir = dataDir;
    net.lines = [];
    net.log = '';
    net.home = home ?? join(dataDir, 'home');
    net.child = spawn(
      VIGIL,
      ['localnet', '--validators', '4', '--base-port', String(basePort), '--data-dir', dataDir, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, VIGIL_HOME: net.home } },
    );
    net.exit = new Promise((resolve) => net.child.on('exit', (code, signal) => resolve({ code, signal })));
    net.exit.then((status) => (net.exited = status));
    let rest = '';
    net.child.stdout.on('data', (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      net.lines.push(...parts);
    });
    net.child.stderr.on('data', (chunk) => {
      net.log = (net.log + chunk).slice(-20000);
    });
    try {
      net.ready = await until('the ready line', () => {
        return net.lines.find((line) => line.startsWith('ready '));
      });
    } catch (error) {
      net.child.kill('SIGKILL');
      throw new Error(`${error.message}\n${net.log}`);
    }
    return net;
  }

  url(node = 0) {
    return `http://127.0.0.1:${this.basePort + 20 * node}/rpc`;
  }

  async stop() {
    this.stopping = true;
    this.child.kill('SIGINT');
    return this.exit;
  }

  remove() {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export function pidOf(lockFile) {
  const pid = Number.parseInt(readFileSync(lockFile, 'utf8'), 10);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

// Runs the vigil binary to its end.
export function vigil(args, { env = {}, input = '' } = {}) {
  return new Promise((resolve) => {
    const child = spawn(VIGIL, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('exit', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => {}); // it may not read what it is given
    child.stdin.end(input);
  });
}

// Runs the named tests in order and ends the process with the count a CI can read.
export function run(tests) {
  return runSuites({ '': tests }).then((passed) => process.exit(passed ? 0 : 1));
}

// As `run`, for suites beside each other: the tests of one suite run in order.
export async function runSuites(suites) {
  let passed = 0;
  let failed = 0;
  const runSuite = async ([suite, tests]) => {
    for (const [name, test] of Object.entries(tests)) {
      const title = suite ? `${suite}: ${name}` : name;
      try {
        await test();
        passed += 1;
        console.log(`ok   ${title}`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL ${title}\n     ${error.stack}`);
      }
    }
  };
  await Promise.all(Object.entries(suites).map(runSuite));
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}
