// Bad input of every kind an operator, a client or a peer can give: a clear error that names the thing and says what to
// do, and nothing lost: after each the same node still settles on the same chain.
import thetajs from '@thetalabs/theta-js';
import rlp from '@ethersproject/rlp';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { DEV_ADDRESS, DEV_KEY, RECIPIENT, VIGIL, assert, assertEqual, rpc, run, tempDir, vigil } from './lib.mjs';
import { Operator, newKey } from './operator.mjs';

const { transactions } = thetajs;
const PORT = 21700;
const WEI = 10n ** 18n;
const STAKE = (10_000_000n * WEI).toString();
const FEE = (3n * 10n ** 17n).toString();
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const TX_BYTES_MAX = 256 * 1024;
const BODY_BYTES_MAX = 5 * 1024 * 1024;

const dir = tempDir();
const file = (name) => join(dir, name);
const write = (name, content) => {
  writeFileSync(file(name), typeof content === 'string' ? content : JSON.stringify(content));
  return file(name);
};

const key = await newKey(file('home'));
const balances = { [key]: (100_000_000n * WEI).toString(), [DEV_ADDRESS]: (100_000_000n * WEI).toString() };
const stakes = [{ source: key, holder: key, amount: STAKE }];
const node = new Operator({ dir: file('node'), home: file('home'), port: PORT });
const journal = () => join(node.dir, 'journal', key.slice(2).toLowerCase());
const says = (text, ...patterns) => patterns.forEach((pattern) => assert(pattern.test(text), `${text.trim()} does not match ${pattern}`));

async function genesisRefused(name, given, ...patterns) {
  const args = ['--balances', write('b.json', given.balances ?? balances), '--stakes', write('s.json', given.stakes ?? stakes)];
  const ended = await vigil(['genesis', ...args, '-o', file(`${name}.json`), ...(given.args ?? [])]);
  assert(ended.code === 1 || ended.code === 2, `exit code of ${name}: ${ended.code}`);
  says(ended.stderr, ...patterns);
  assert(!readdirSync(dir).includes(`${name}.json`), `${name} wrote a file`);
}

// Runs `test` with the node stopped and one of its files changed; afterwards all is as before, and the chain goes on.
async function withFile(path, change, test) {
  await node.stop();
  const before = readFileSync(path);
  change(before);
  try {
    await test();
  } finally {
    if (node.exited === undefined) await node.stop();
    writeFileSync(path, before);
  }
  await goesOnAsBefore();
}

let known;
async function remember() {
  const height = await node.height();
  known = await rpc(node.url, 'theta.GetBlockByHeight', { height: String(height) });
}

async function goesOnAsBefore() {
  node.start();
  await node.settles(Number(known.height) + 1);
  const again = await rpc(node.url, 'theta.GetBlockByHeight', { height: known.height });
  assertEqual(again.hash, known.hash, `block ${known.height} after all that`);
  await remember();
}

// Sends a body as it is; answers status and JSON-RPC error.
async function post(body, headers = { 'Content-Type': 'application/json' }) {
  const response = await fetch(node.url, { method: 'POST', headers, body });
  const text = await response.text();
  return { status: response.status, error: text && JSON.parse(text).error };
}

async function bodyRefused(body, code, pattern, status = 200) {
  const answer = await post(body);
  assertEqual(answer.status, status, `HTTP status (${JSON.stringify(answer.error)})`);
  assertEqual(answer.error?.code, code, `code (${JSON.stringify(answer.error)})`);
  says(answer.error.message, pattern);
}

let sequence = 0;
function send({ chain = 'privatenet', tfuelWei = '1', fee = FEE, seq = sequence + 1, sign = DEV_KEY } = {}) {
  const outputs = [{ address: RECIPIENT, thetaWei: '0', tfuelWei }];
  const tx = new transactions.SendTransaction({ from: DEV_ADDRESS, outputs, gasPrice: fee, sequence: seq });
  return `0x${transactions.serialize(tx, transactions.sign(chain, tx, sign))}`;
}

// The same transaction with its parts changed; parts are [fee, inputs, outputs], an input is [address, coins, sequence, signature].
function rebuilt(raw, change) {
  const parts = rlp.decode(`0x${raw.slice(4)}`);
  change(parts);
  return raw.slice(0, 4) + rlp.encode(parts).slice(2);
}

function highS(signature) {
  const s = CURVE_ORDER - BigInt(`0x${signature.slice(66, 130)}`);
  const v = Number(`0x${signature.slice(130)}`) ^ 1;
  return signature.slice(0, 66) + s.toString(16).padStart(64, '0') + v.toString(16).padStart(2, '0');
}

async function txRefused(raw, pattern) {
  const tx_bytes = raw.replace(/^0x/, '');
  const { error } = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'theta.BroadcastRawTransactionAsync', params: [{ tx_bytes }] }));
  assert(error, `was accepted: ${raw.slice(0, 80)}`);
  says(error.message, pattern);
}

const account = () => rpc(node.url, 'theta.GetAccount', { address: DEV_ADDRESS });

await run({
  'a genesis that cannot be is refused by what is wrong': async () => {
    const one = (entry) => ({ ...balances, ...entry });
    await genesisRefused('bad-amount', { balances: one({ [RECIPIENT]: '12x' }) }, /`12x`/, /decimal amount in wei/, /b\.json/);
    await genesisRefused('negative', { balances: one({ [RECIPIENT]: '-5' }) }, /`-5`/, /b\.json/);
    await genesisRefused('overflow', { balances: one({ [RECIPIENT]: (2n ** 256n).toString() }) }, /11579/, /b\.json/);
    await genesisRefused('number', { balances: one({ [RECIPIENT]: 5 }) }, /b\.json/, /string|text/);
    await genesisRefused('twice', { balances: one({ [DEV_ADDRESS.toLowerCase()]: '5' }) }, /twice/, /b\.json/);
    await genesisRefused('address', { balances: one({ '0x12': '5' }) }, /`0x12`/);
    await genesisRefused('no-json', { balances: '{"' }, /b\.json/, /line 1/);
    await genesisRefused('overstaked', { stakes: [{ ...stakes[0], amount: (10n ** 27n).toString() }] }, /stakes 10{27} wei/, /holds 10{26}/);
    await genesisRefused('stranger', { stakes: [{ ...stakes[0], source: RECIPIENT }] }, /stakes \d+ wei/, /holds 0/);
    await genesisRefused('stake-amount', { stakes: [{ ...stakes[0], amount: '-1' }] }, /s\.json/, /-1/);
    await genesisRefused('stake-key', { stakes: [{ ...stakes[0], colour: 'blue' }] }, /s\.json/, /colour/);
    await genesisRefused('nobody', { stakes: [] }, /no validator/);
    await genesisRefused('rule', { args: ['--set', 'colour=blue'] }, /`colour`/, /checkpoint_interval/);
    await genesisRefused('rule-value', { args: ['--set', 'checkpoint_interval=soon'] }, /`checkpoint_interval`/, /`soon`/);
    await genesisRefused('rule-range', { args: ['--set', 'block_interval_ms=0'] }, /`block_interval_ms` is 0, must be/);
    const absent = await vigil(['genesis', '--balances', file('nowhere.json'), '--stakes', file('s.json')]);
    assertEqual(absent.code, 1, 'exit code');
    says(absent.stderr, /nowhere\.json/, /No such file/);
  },

  'a genesis file that cannot be is refused by init': async () => {
    const args = ['--balances', write('balances.json', balances), '--stakes', write('stakes.json', stakes), '--set', 'block_interval_ms=200'];
    assertEqual((await vigil(['genesis', ...args, '-o', file('genesis.json')])).code, 0, 'genesis');
    assertEqual((await vigil(['genesis', ...args, '--timestamp', '7', '-o', file('other.json')])).code, 0, 'another genesis');
    const good = readFileSync(file('genesis.json'), 'utf8');
    const json = () => JSON.parse(good);
    const refused = async (name, content, ...patterns) => {
      const ended = await vigil(['init', '--data-dir', file(`never-${name}`), '--genesis', write(`${name}.json`, content)]);
      assertEqual(ended.code, 1, `exit code of ${name}`);
      says(ended.stderr, new RegExp(`${name}\\.json`), ...patterns);
      assert(!readdirSync(dir).includes(`never-${name}`), `${name} left a folder`);
    };
    await refused('cut', good.slice(0, 300), /EOF/);
    await refused('garbage', 'hello', /line 1/);
    await refused('unknown-rule', { ...json(), params: { ...json().params, colour: 1 } }, /colour/);
    await refused('double', { ...json(), accounts: [...json().accounts, json().accounts[0]] }, /twice/);
    await refused('minus', { ...json(), accounts: [{ ...json().accounts[0], theta: '-1' }] }, /-1/);
    await refused('too-much', { ...json(), stakes: [{ ...json().stakes[0], amount: (10n ** 27n).toString() }] }, /stakes 10{27} wei/);
    const absent = await vigil(['init', '--data-dir', file('never'), '--genesis', file('nowhere.json')]);
    assertEqual(absent.code, 1, 'exit code');
    says(absent.stderr, /nowhere\.json/);
  },

  'flags and configuration are refused by name': async () => {
    says((await node.refused()).stderr, /no data folder/, /vigil init/);
    await node.init(file('genesis.json'));
    says((await node.refused({ args: ['--rpc.prot', '1'] })).stderr, /--rpc\.prot/);
    assertEqual((await vigil(['strat'])).code, 2, 'exit code of an unknown command');
    says((await node.refused({ args: ['--log.filter', 'a=b=c'] })).stderr, /log\.filter/);
    says((await node.refused({ args: ['--p2p.seeds', 'nonsense'] })).stderr, /p2p\.seeds/, /nonsense/, /multiaddress/);
    says((await node.refused({ env: { VIGIL_RPC_PROT: '1' } })).stderr, /VIGIL_RPC_PROT/);
    const config = join(node.dir, 'config.toml');
    const good = readFileSync(config, 'utf8');
    const refused = async (text, ...patterns) => {
      writeFileSync(config, text);
      const ended = await node.refused();
      assertEqual(ended.code, 2, 'exit code');
      says(ended.stderr, /config\.toml/, ...patterns);
    };
    await refused(`${good}\ncolour = 1\n`, /`log\.colour`/);
    await refused(good.replace('[rpc]', '[rcp]'), /`rcp\./);
    await refused(good.replace('peers_max = 64', 'peers_max = "many"'), /`p2p\.peers_max`/, /many/, /a number/);
    await refused(good.replace('peers_max = 64', 'peers_max = -1'), /`p2p\.peers_max`/, /-1/);
    await refused(good.replace('[log]', '[log'), /not TOML/);
    writeFileSync(config, good);
    for (const [name, got, allowed] of [
      ['storage.cache_mib', '100000000', '0 to 1048576'],
      ['rpc.connections_max', '18446744073709551615', '1 to 100000'],
      ['rpc.connections_max', '0', '1 to 100000'],
    ]) {
      const ended = await node.refused({ args: [`--${name}`, got] });
      assertEqual(ended.code, 2, `exit code of --${name} ${got}`);
      says(ended.stderr, new RegExp(`\`${name}\` in flag --${name} is \`${got}\`, must be a number from ${allowed}`));
    }
    const genesis = join(node.dir, 'genesis.json');
    renameSync(genesis, `${genesis}.away`);
    says((await node.refused()).stderr, /genesis\.json/);
    writeFileSync(genesis, readFileSync(`${genesis}.away`, 'utf8').slice(0, 200));
    says((await node.refused()).stderr, /genesis\.json/, /EOF/);
    renameSync(`${genesis}.away`, genesis);
    const keys = join(node.dir, 'key', 'encrypted');
    says((await node.refused({ password: 'wrong' })).stderr, /[Pp]assword|decrypt/, /key\/encrypted/);
    const [keyFile] = readdirSync(keys);
    const goodKey = readFileSync(join(keys, keyFile));
    writeFileSync(join(keys, keyFile), 'hello');
    says((await node.refused()).stderr, /key\/encrypted/, /no version 3 key/);
    writeFileSync(join(keys, keyFile), goodKey);
    rmSync(join(node.dir, 'db'), { recursive: true, force: true });
    writeFileSync(join(node.dir, 'db'), 'a file where a folder belongs');
    says((await node.refused()).stderr, /making \S+\/db: File exists/);
    rmSync(join(node.dir, 'db'));
  },

  'ports and data folders in use are refused by name': async () => {
    node.start();
    await node.settles(2);
    await remember();
    assertEqual(await state(), 'synced', 'state of a chain of one validator');
    const other = new Operator({ dir: file('node2'), home: file('home'), port: PORT + 20 });
    await other.init(file('genesis.json'));
    for (const [flag, port, what] of [['rpc', PORT, /JSON-RPC/], ['metrics', PORT + 4, /metrics/], ['p2p', PORT + 3, /p2p|listen/]]) {
      const shadowed = new Operator({ ...other });
      shadowed.args = (extra) => other.args(extra).map((arg, i, all) => (all[i - 1] === `--${flag}.port` ? String(port) : arg));
      const ended = await shadowed.refused();
      says(ended.stderr, what, new RegExp(String(port)), /in use/);
    }
    const twin = new Operator({ dir: node.dir, port: PORT + 40 });
    says((await twin.refused()).stderr, /node is in use by another process \(pid \d+\)/);
    await node.goesOn();
  },

  'requests that are none get JSON-RPC errors': async () => {
    await bodyRefused('garbage', -32700, /parse error/);
    await bodyRefused('', -32700, /parse error/);
    await bodyRefused(randomBytes(1000), -32700, /parse error/);
    await bodyRefused('{"jsonrpc":"2.0","id":1,"method":"theta.GetSta', -32700, /parse error/);
    await bodyRefused(`${'['.repeat(129)}${']'.repeat(129)}`, -32700, /nested deeper than 128/);
    await bodyRefused('['.repeat(100000), -32700, /nested deeper than 128/);
    await bodyRefused('[]', -32600, /invalid request/);
    await bodyRefused('7', -32600, /invalid request/);
    await bodyRefused('{"jsonrpc":"1.0","id":1,"method":"theta.GetStatus"}', -32600, /invalid request/);
    await bodyRefused('{"jsonrpc":"2.0","id":1,"method":"theta.Nope"}', -32601, /can't find method theta\.Nope/);
    await bodyRefused('{"jsonrpc":"2.0","id":1,"method":"theta.GetBlockByHeight","params":{"height":7}}', -32602, /Uint64 must be formatted as string/);
    await bodyRefused('{"jsonrpc":"2.0","id":1,"method":"theta.GetBlockByHeight","params":{"height":"-7"}}', -32602, /./);
    await bodyRefused(JSON.stringify(Array(1001).fill({ jsonrpc: '2.0', id: 1, method: 'theta.GetStatus' })), -32600, /1000 requests/);
    await bodyRefused(' '.repeat(BODY_BYTES_MAX + 1), -32600, /larger than 5242880 bytes/, 413);
    assertEqual((await post('{}', { 'Content-Type': 'text/plain' })).status, 415, 'status of another content type');
    await node.goesOn();
  },

  'transactions that cannot be get the text that says why': async () => {
    const before = await account();
    await txRefused('', /./);
    await txRefused('zz', /./);
    await txRefused(randomBytes(200).toString('hex'), /./);
    await txRefused(send().slice(0, -20), /./);
    await txRefused(`${send()}00`, /followed by 1 bytes/);
    await txRefused(send({ chain: 'othernet' }), /Signature verification failed, SignBytes: [0-9a-f]+/);
    await txRefused(send({ seq: 7 }), /ValidateInputAdvanced: Got 7, expected 1\. \(acc\.seq=0\)/);
    await txRefused(rebuilt(send(), ([, [input]]) => (input[2] = '0x')), /Got 0, expected 1/);
    await txRefused(rebuilt(send(), ([, [input]]) => (input[2] = '0x0001')), /Error decoding tx: .*leading zero/);
    await txRefused(rebuilt(send(), ([, [input]]) => (input[2] = `0x01${'00'.repeat(8)}`)), /Error decoding tx/);
    await txRefused(send({ fee: '1' }), /Insufficient fee\. Transaction fee needs to be at least 3\d+ TFuelWei/);
    await txRefused(send({ sign: `0x${'22'.repeat(32)}` }), /Signature verification failed/);
    await txRefused(rebuilt(send(), ([, [input]]) => (input[3] = highS(input[3]))), /Signature verification failed/);
    await txRefused(rebuilt(send(), ([, [input]]) => (input[3] = `${input[3].slice(0, -2)}1b`)), /Signature verification failed/);
    await txRefused(rebuilt(send(), ([, [input]]) => (input[3] = '0x')), /Signature verification failed/);
    await txRefused(send({ tfuelWei: (10n ** 30n).toString() }), /Insufficient fund: balance is/);
    await txRefused(rebuilt(send(), ([, , [output]]) => (output[1][1] = `0x01${'00'.repeat(32)}`)), /Error decoding tx/);
    await txRefused(rebuilt(send(), ([, , [output]]) => (output[1][1] = `0x${'ff'.repeat(32)}`)), /Signature verification failed|Insufficient|total|overflow/);
    await txRefused(rebuilt(send(), ([, , [output]]) => (output[1][1] = '0x0001')), /Error decoding tx/);
    await txRefused(rebuilt(send(), ([, , outputs]) => outputs.push(...Array(6000).fill(outputs[0]))), /limit is (262144|512)/);
    await txRefused(`02${'00'.repeat(TX_BYTES_MAX)}`, /has 262145 bytes, the limit is 262144/);
    const after = await account();
    assertEqual(JSON.stringify(after), JSON.stringify(before), 'the account');
    const { hash } = await rpc(node.url, 'theta.BroadcastRawTransaction', { tx_bytes: send().slice(2) });
    sequence = 1;
    assertEqual((await rpc(node.url, 'theta.GetTransaction', { hash })).status, 'finalized', 'a good one');
    await txRefused(send({ seq: 1 }), /Transaction already seen/);
    await txRefused(send({ seq: 1, tfuelWei: '2' }), /Got 1, expected 2/);
    await node.goesOn();
  },

  'garbage and floods on the p2p port change nothing': async () => {
    const pour = (port, bytes) =>
      new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
        socket.on('error', resolve).on('close', resolve).resume();
        setTimeout(() => socket.destroy(), 3000).unref();
      });
    const garbage = [randomBytes(100_000), Buffer.alloc(100_000), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.from('\x13/multistream/1.0.0\n\xff\xff\xff\xff', 'latin1')];
    await Promise.all(garbage.map((bytes) => pour(PORT + 3, bytes)));
    await Promise.all(Array.from({ length: 300 }, (_, i) => pour(PORT + 3, garbage[i % 4].subarray(0, 1000))));
    await node.goesOn();
    const idle = Array.from({ length: 300 }, (_, i) => net.connect(PORT + (i % 2 ? 3 : 0), '127.0.0.1').on('error', () => {}));
    await node.until('the chain goes on beside 150 idle connections a port', settledFurther(await settledByMetrics(), 3));
    idle.forEach((socket) => socket.destroy());
    await Promise.all([pour(PORT, randomBytes(100_000)), pour(PORT + 4, randomBytes(100_000))]);
    await node.goesOn();
    assert(!/panicked/.test(node.log), node.log.slice(-2000));
    await remember();
  },

  'data of another chain or a newer schema is refused and left alone': async () => {
    await withFile(join(node.dir, 'genesis.json'), () => cpSync(file('other.json'), join(node.dir, 'genesis.json')), async () => {
      says((await node.refused()).stderr, /holds the chain with genesis 0x[0-9a-f]{64}, the genesis given is 0x[0-9a-f]{64}/, /data directory/);
    });
    const identity = join(node.dir, 'db', 'identity');
    await withFile(identity, (before) => writeFileSync(identity, before.toString().replace(/schema = \d+/, 'schema = 99')), async () => {
      says((await node.refused()).stderr, /schema 99, this program knows schema \d+/, /newer version/);
    });
  },

  'a damaged journal signs nothing and says what to do': async () => {
    const flip = (before) => {
      const bytes = Buffer.from(before);
      bytes[bytes.length >> 1] ^= 0xff;
      writeFileSync(journal(), bytes);
    };
    await withFile(journal(), flip, () => signsNothing(/journal unusable: not signing/, /damaged at byte \d+/, /[Rr]estore/));
  },

  'a missing journal signs nothing and names the way out': async () => {
    await withFile(journal(), () => rmSync(journal()), () => signsNothing(/journal missing: not signing/, /Restore the file/, /--fresh-journal/));
    await node.stop();
    const ended = await node.refused({ args: ['--fresh-journal'] });
    says(ended.stderr, /exists/, /start without it/);
    renameSync(journal(), `${journal()}.away`);
    node.start(['--fresh-journal']);
    await node.settles(Number(known.height) + 1);
    await remember();
  },

  'a full disk stops voting, says so, loses nothing, and room is enough to go on': async () => {
    const disk = file('disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', disk], { stdio: 'pipe' });
    } catch (error) {
      console.log(`     skipped: no tmpfs can be mounted here (${error.message.split('\n')[0]})`);
      return;
    }
    await node.stop();
    const small = new Operator({ dir: join(disk, 'node'), port: PORT + 60 });
    try {
      cpSync(node.dir, small.dir, { recursive: true });
      small.start();
      await small.goesOn();
      fill(join(disk, 'filler'));
      const told = await small.until('it says that the disk is full', async () => {
        const answer = await small.ready();
        return /disk full/.test(answer.reason ?? '') && answer;
      });
      assertEqual(told.status, 503, 'status of /health/ready');
      await standsStill(small);
      const height = await small.height();
      rmSync(join(disk, 'filler'));
      await small.settles(height + 2); // by itself
      await small.until('ready again', async () => (await small.ready()).status === 200);
      await small.stop();
    } finally {
      if (small.exited === undefined) small.child?.kill('SIGKILL');
      await small.exit;
      execFileSync('umount', [disk]);
    }
    await goesOnAsBefore();
  },

  'a localnet takes a folder for itself': async () => {
    await node.stop();
    const started = (port, dir) => ['localnet', '--validators', '1', '--base-port', String(port), '--data-dir', dir];
    const env = { VIGIL_HOME: file('dev') };
    const first = spawn(VIGIL, started(PORT + 80, file('localnet')), { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
    const ended = new Promise((resolve) => first.on('exit', resolve));
    const line = await new Promise((resolve) => first.stdout.once('data', resolve).once('end', () => resolve('no line')));
    says(String(line), /^ready rpc=http:\/\/127\.0\.0\.1:21780\/rpc/);
    const config = join(file('localnet'), 'node0', 'config.toml');
    const before = readFileSync(config, 'utf8');
    const second = await vigil(started(PORT + 100, file('localnet')), { env });
    assertEqual(second.code, 1, 'exit code');
    says(second.stderr, /localnet is in use by another process \(pid \d+\)/);
    assertEqual(readFileSync(config, 'utf8'), before, 'configuration of the running node');
    const third = await vigil(started(PORT + 80, file('localnet2')), { env });
    says(third.stderr, /21780, which is taken/, /--base-port/);
    assertEqual((await vigil(['localnet', '--validators', '0'], { env })).code, 2, 'exit code of no validators');
    first.kill('SIGINT');
    assertEqual(await ended, 0, 'exit code of the localnet');
  },

  'nothing is left': async () => {
    assertEqual(node.exited?.code, 0, 'exit code of the node');
    rmSync(dir, { recursive: true, force: true });
  },
});

async function signsNothing(...patterns) {
  node.start();
  const told = await node.until('a reason', async () => {
    const answer = await node.ready();
    return /journal/.test(answer.reason ?? '') && answer;
  });
  assertEqual(told.status, 503, 'status of /health/ready');
  says(told.reason, ...patterns);
  says(node.log, ...patterns);
  says(await state(), ...patterns);
  await standsStill(node);
}

// What `vigil status` says of the node.
async function state() {
  const { code, stdout, stderr } = await vigil(['status', '--remote', node.url]);
  assertEqual(code, 0, `exit code of status (${stderr})`);
  return /^state +(.*)$/m.exec(stdout)[1];
}

// Sees a few block intervals pass without a block.
async function standsStill(of) {
  const height = await of.height();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assertEqual(await of.height(), height, 'height of a node that must not vote');
}

async function settledByMetrics() {
  const text = await (await fetch(`http://127.0.0.1:${PORT + 4}/metrics`)).text();
  return Number(/^vigil_settled_height (\d+)/m.exec(text)[1]);
}

function settledFurther(from, blocks) {
  return async () => (await settledByMetrics()) >= from + blocks;
}

// Writes until nothing more fits.
function fill(path) {
  const fd = openSync(path, 'w');
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      for (;;) if (writeSync(fd, Buffer.alloc(size)) < size) break;
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  }
  closeSync(fd);
}
