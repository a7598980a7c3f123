// A node as an operator runs it: `vigil init`, a key of its own, `vigil start` on a data folder. No localnet around it.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
  // `flags`: further settings for its command line.
  constructor({ dir, home, port, seeds = [], flags = {}, password = PASSWORD }) {
    Object.assign(this, { dir, home, port, seeds, flags, password, log: '', complaints: [] });
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
    const flags = { 'rpc.port': this.port, 'eth.port': this.port + 1, 'eth.ws_port': this.port + 2, 'p2p.port': this.port + 3, 'metrics.port': this.port + 4, 'p2p.address': '127.0.0.1' };
    const seeds = this.seeds.map((port) => `/ip4/127.0.0.1/tcp/${port + 3}`).join(',');
    if (seeds) flags['p2p.seeds'] = seeds;
    Object.assign(flags, this.flags);
    return ['start', '--data-dir', this.dir, ...Object.entries(flags).flatMap(([k, v]) => [`--${k}`, String(v)]), ...extra];
  }

  // Starts it and goes on at once; `answers()` waits for its RPC.
  start(extra = []) {
    this.log = '';
    this.exited = undefined;
    const env = { ...process.env, VIGIL_PASSWORD: this.password };
    this.child = spawn(VIGIL, this.args(extra), { stdio: ['ignore', 'ignore', 'pipe'], env });
    live.add(this.child);
    this.child.stderr.on('data', (chunk) => (this.log = (this.log + chunk).slice(-100000)));
    createInterface(this.child.stderr).on('line', (line) => / (WARN|ERROR) |panicked/.test(line) && this.complaints.push(line));
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

  // Ends it without a word.
  async kill() {
    this.child.kill('SIGKILL');
    await this.exit;
  }
}

// Lets `vigil localnet` make the folders of a network below `dir` and answers its `count` nodes, none of them running.
// Each has all others as its seeds.
export async function localnetNodes({ dir, basePort, count, args }) {
  const maker = spawn(VIGIL, ['localnet', '--base-port', String(basePort), '--data-dir', dir, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, VIGIL_HOME: join(dir, 'home') },
  });
  let log = '';
  let ended = false;
  maker.stderr.on('data', (chunk) => (log += chunk));
  const exit = new Promise((resolve) => maker.on('close', resolve)).then(() => (ended = true));
  // The last thing that it writes before it starts them.
  const last = join(dir, `node${count - 1}`, 'config.toml');
  await until('the folders of the nodes', () => ended || existsSync(last), PATIENCE_SECONDS);
  maker.kill('SIGINT');
  await exit;
  assert(existsSync(last), `vigil localnet made no folders: ${log}`);
  // What they have done until they were stopped is forgotten.
  for (let i = 0; i < count; i++) {
    for (const [folder, ...keep] of [['.', 'genesis.json', 'config.toml', 'calibration.json', 'key', 'guardian'], ['key', 'encrypted'], ['guardian', 'encrypted']]) {
      const at = join(dir, `node${i}`, folder);
      if (!existsSync(at)) continue;
      for (const name of readdirSync(at).filter((name) => !keep.includes(name))) rmSync(join(at, name), { recursive: true });
    }
  }
  const ports = Array.from({ length: count }, (_, i) => basePort + 20 * i);
  return ports.map((port, i) => {
    const seeds = ports.filter((other) => other !== port);
    return new Operator({ dir: join(dir, `node${i}`), port, seeds, password: 'qwertyuiop' });
  });
}

// A test that fails must not leave nodes behind.
const live = new Set();
process.on('exit', () => live.forEach((child) => child.kill('SIGKILL')));
