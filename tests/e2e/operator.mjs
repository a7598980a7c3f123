// A node as an operator runs it: `vigil init`, a key of its own, `vigil start` on a data folder. No localnet around it.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { VIGIL, assert, assertEqual, rpc, settledHeight, until, vigil } from './lib.mjs';

export const PASSWORD = 'correct horse';
const PATIENCE_SECONDS = 60;

// Makes a key in a wallet below `home`, as an operator does before the genesis is agreed; answers its address.
export async function newKey(home) {
  const made = await vigil(['key', 'new', '--home', home, '--password', PASSWORD, '--json']);
  assertEqual(made.code, 0, `key new (${made.stderr})`);
  return JSON.parse(made.stdout).address;
}

export class Operator {
  // `home`: the wallet whose one key becomes the node's. Node i has the five ports from base + 20 * i, as in a localnet.
  constructor({ dir, home, port, seeds = [] }) {
    Object.assign(this, { dir, home, port, seeds, log: '' });
    this.url = `http://127.0.0.1:${port}/rpc`;
    this.health = `http://127.0.0.1:${port + 4}/health/ready`;
  }

  async init(genesis) {
    const made = await vigil(['init', '--data-dir', this.dir, '--genesis', genesis, '--json']);
    assertEqual(made.code, 0, `init (${made.stderr})`);
    if (this.home) {
      const [from, to] = [join(this.home, 'wallet', 'keys', 'encrypted'), join(this.dir, 'key', 'encrypted')];
      mkdirSync(to, { recursive: true, mode: 0o700 });
      for (const file of readdirSync(from)) copyFileSync(join(from, file), join(to, file));
    }
    return JSON.parse(made.stdout).genesis_hash;
  }

  args(extra = []) {
    const flags = { 'rpc.port': this.port, 'p2p.port': this.port + 3, 'metrics.port': this.port + 4, 'p2p.address': '127.0.0.1' };
    const seeds = this.seeds.map((port) => `/ip4/127.0.0.1/tcp/${port + 3}`).join(',');
    if (seeds) flags['p2p.seeds'] = seeds;
    return ['start', '--data-dir', this.dir, ...Object.entries(flags).flatMap(([k, v]) => [`--${k}`, String(v)]), ...extra];
  }

  // Starts it and goes on at once; `answers()` waits for its RPC.
  start(extra = []) {
    this.log = '';
    this.exited = undefined;
    const env = { ...process.env, VIGIL_PASSWORD: PASSWORD };
    this.child = spawn(VIGIL, this.args(extra), { stdio: ['ignore', 'ignore', 'pipe'], env });
    live.add(this.child);
    this.child.stderr.on('data', (chunk) => (this.log = (this.log + chunk).slice(-100000)));
    this.exit = new Promise((resolve) => this.child.on('close', (code, signal) => resolve({ code, signal })));
    this.exit.then((status) => {
      live.delete(this.child);
      this.exited = status;
    });
  }

  // A start that must fail: answers exit code and stderr.
  async refused({ args = [], password = PASSWORD, env = {} } = {}) {
    const ended = await vigil(this.args(args), { env: { VIGIL_PASSWORD: password, ...env } });
    assert(ended.code === 1 || ended.code === 2, `exit code 1 or 2, got ${ended.code}: ${ended.stderr}`);
    assertEqual(ended.stdout, '', 'stdout');
    assert(!/panicked|RUST_BACKTRACE/.test(ended.stderr), ended.stderr);
    return ended;
  }

  async until(what, probe, seconds = PATIENCE_SECONDS) {
    try {
      return await until(what, () => this.exited || probe(), seconds).then((answer) => {
        if (this.exited) throw new Error(`the node ended (${JSON.stringify(this.exited)}) before: ${what}`);
        return answer;
      });
    } catch (error) {
      throw new Error(`${error.message}\n--- log of ${this.dir}\n${this.log.slice(-4000)}`);
    }
  }

  settles(height) {
    return this.until(`${this.dir} settles ${height}`, async () => (await settledHeight(this.url)) >= height);
  }

  height() {
    return settledHeight(this.url);
  }

  // Settles more blocks than it has now.
  async goesOn(blocks = 3) {
    const now = await this.until('an answer', async () => String(await settledHeight(this.url)));
    return this.settles(Number(now) + blocks);
  }

  says(pattern) {
    return this.until(`log line ${pattern}`, () => pattern.test(this.log));
  }

  status() {
    return rpc(this.url, 'theta.GetStatus');
  }

  async ready() {
    const response = await fetch(this.health);
    return { status: response.status, ...(await response.json()) };
  }

  async stop() {
    this.child.kill('SIGTERM');
    const { code } = await this.exit;
    assertEqual(code, 0, `exit code after SIGTERM (${this.log.slice(-2000)})`);
  }
}

// A test that fails must not leave nodes behind.
const live = new Set();
process.on('exit', () => live.forEach((child) => child.kill('SIGKILL')));
