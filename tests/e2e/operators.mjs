// Several operators start from one genesis file, each with a data folder of its own; one comes late, one goes and comes
// back, one is of another chain.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, assertEqual, rpc, run, tempDir, vigil } from './lib.mjs';
import { Operator, newKey } from './operator.mjs';

const BASE_PORT = 21500;
const WEI = 10n ** 18n;
const STAKE = (10_000_000n * WEI).toString();
const dir = tempDir();
const file = (name) => join(dir, name);
const port = (i) => BASE_PORT + 20 * i;

const homes = [0, 1, 2, 3, 4].map((i) => file(`home${i}`));
const keys = await Promise.all(homes.map(newKey));
const operators = homes.map((home, i) => {
  const seeds = [0, 1, 2, 3].filter((j) => j !== i).map(port);
  return new Operator({ dir: file(`node${i}`), home, port: port(i), seeds });
});
const [late, validators] = [operators[4], operators.slice(0, 4)];

async function genesis(name, ...args) {
  const out = file(name);
  const made = await vigil(['genesis', '--balances', file('balances.json'), '--stakes', file('stakes.json'), '-o', out, '--json', ...args]);
  assertEqual(made.code, 0, `genesis (${made.stderr})`);
  return JSON.parse(made.stdout).genesis_hash;
}

async function blockOf(node, height) {
  await node.settles(height);
  return rpc(node.url, 'theta.GetBlockByHeight', { height: String(height) });
}

async function agreeAt(height, nodes) {
  const blocks = await Promise.all(nodes.map((node) => blockOf(node, height)));
  for (const block of blocks) {
    assertEqual(block.hash, blocks[0].hash, `hash at ${height}`);
    assertEqual(block.state_hash, blocks[0].state_hash, `state root at ${height}`);
  }
}

const synced = (node) => node.until(`${node.dir} is synced`, async () => (await node.ready()).ready && (await node.status()).syncing === false);

const FAST = ['--set', 'block_interval_ms=300', '--set', 'delta_ms=500'];
let hash;

await run({
  'the genesis hash is the same for everybody who puts in the same data': async () => {
    writeFileSync(file('balances.json'), JSON.stringify(Object.fromEntries(keys.map((key) => [key, (200_000_000n * WEI).toString()]))));
    writeFileSync(file('stakes.json'), JSON.stringify(keys.slice(0, 4).map((key) => ({ source: key, holder: key, amount: STAKE }))));
    hash = await genesis('genesis.json', ...FAST);
    assert(/^0x[0-9a-f]{64}$/.test(hash), hash);
    assertEqual(await genesis('again.json', ...FAST), hash, 'the hash of a second build');
    assert(readFileSync(file('genesis.json')).equals(readFileSync(file('again.json'))), 'the same file');
    assert((await genesis('other.json', ...FAST, '--set', 'checkpoint_interval=10')) !== hash, 'another rule, another hash');
    assert((await genesis('named.json', ...FAST, '--set', 'chain_id=othernet')) !== hash, 'another chain id, another hash');
    assert((await genesis('later.json', ...FAST, '--timestamp', '1')) !== hash, 'another time, another hash');
    const there = await vigil(['genesis', '--balances', file('balances.json'), '--stakes', file('stakes.json'), '-o', file('genesis.json')]);
    assertEqual(there.code, 1, 'exit code where the file exists');
    assert(/genesis\.json exists/.test(there.stderr), there.stderr);
  },

  'every operator initialises from it and sees the hash': async () => {
    for (const node of operators) assertEqual(await node.init(file('genesis.json')), hash, 'hash');
    const again = await vigil(['init', '--data-dir', validators[0].dir, '--genesis', file('genesis.json')]);
    assertEqual(again.code, 1, 'exit code of a second init');
    assert(/exists/.test(again.stderr), again.stderr);
  },

  'four validators settle and agree': async () => {
    for (const node of validators) node.start();
    await Promise.all(validators.map((node) => node.settles(5)));
    await agreeAt(5, validators);
    const status = await validators[0].status();
    assertEqual(status.genesis_block_hash, hash, 'genesis of the running node');
    assertEqual(status.chain_id, 'privatenet', 'chain id');
    await Promise.all(validators.map(synced));
  },

  'a node that starts late catches up and follows': async () => {
    late.start();
    const height = await validators[0].height();
    await late.settles(height);
    await synced(late);
    await agreeAt(height, operators);
    assertEqual(await lastVote(late), 0, 'last vote of a node without stake');
  },

  'a validator that was stopped catches up and signs again': async () => {
    const [gone, ...others] = validators;
    await gone.stop();
    await others[0].goesOn(8); // three of four go on
    const height = await others[0].height();
    gone.start();
    await gone.settles(height);
    await synced(gone);
    const before = await lastVote(gone);
    await gone.until('a later vote', async () => (await lastVote(gone)) > before + 2);
    await agreeAt(height, validators);
  },

  'a node of another chain is refused by name and the network goes on': async () => {
    for (const [i, name, ours, theirs] of [
      [5, 'other.json', 'its genesis is', hash],
      [6, 'named.json', 'it is on chain', 'othernet'],
    ]) {
      const stranger = new Operator({ dir: file(`node${i}`), home: homes[4], port: port(i), seeds: [port(0), port(1)] });
      const own = await stranger.init(file(name));
      stranger.start();
      await stranger.says(/peer refused/);
      const line = stranger.log.split('\n').find((l) => l.includes('peer refused'));
      assert(line.includes(ours) && line.includes(theirs), line);
      if (ours === 'its genesis is') assert(line.includes(own), `names our own hash too: ${line}`);
      if (theirs === 'othernet') assert(line.includes('privatenet'), `names both chains: ${line}`);
      const { ready, reason } = await stranger.ready();
      assertEqual(ready, false, 'ready');
      assert(/no peers|syncing/.test(reason), reason);
      assertEqual(await stranger.height(), 0, 'height of the stranger');
      await validators[0].goesOn();
      await stranger.stop();
    }
  },

  'all end cleanly and are alike': async () => {
    const height = await validators[0].height();
    await agreeAt(height, operators);
    await Promise.all(operators.map((node) => node.stop()));
    rmSync(dir, { recursive: true, force: true });
  },
});

async function lastVote(node) {
  const dump = await vigil(['db', 'journal', '--data-dir', node.dir, '--json']);
  assertEqual(dump.code, 0, `db journal (${dump.stderr})`);
  return JSON.parse(dump.stdout).last_vote?.height ?? 0;
}
