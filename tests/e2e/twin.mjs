// A validator's key in two processes: the home was copied without its signing journal. Both propose, and vote for what they
// propose. Another validator reports it; the key is slashed and out of the committee, and every coin is accounted for
// (docs/decisions/0011-slashing.md).
//
// A copy that hears of a statement of its key that it did not make signs no more (0007-journal-rollback.md), and then nothing
// happens. So both propose before there is anything to be heard: the key is that whose turn epoch 1 is. And the two cannot
// reach each other: as behind two firewalls, each dials the others, says that it is at a port where nobody listens,
// and nobody looks for addresses.
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert, assertEqual, rpc, run, tempDir, until, vigil } from './lib.mjs';
import { Operator, localnetNodes } from './operator.mjs';

const BASE_PORT = 22100;
const NOBODY = BASE_PORT + 119;
const WEI = 10n ** 18n;
const STAKE = 10_000_000n * WEI;
const SHARE = STAKE / 20n;
const SLASH = 1;
const COINBASE = 0;
const BATCH = 500;

const dir = tempDir();
const args = ['--validators', '4', '--genesis', 'checkpoint_interval=10', '--genesis', 'block_interval_ms=300'];
const nodes = await localnetNodes({ dir, basePort: BASE_PORT, count: 4, args });
const keyOf = (node) => readdirSync(join(node.dir, 'key', 'encrypted'))[0].toLowerCase();
// With equal stakes the turns go by address, from epoch 0 on, which is the genesis.
const [lowest, original, ...others] = nodes.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
const honest = [lowest, ...others];
const [first] = honest;
const offender = `0x${keyOf(original)}`;
const copy = new Operator({ dir: join(dir, 'copy'), port: BASE_PORT + 100, password: original.password });
const twins = [original, copy];
mkdirSync(copy.dir);
cpSync(join(original.dir, 'key', 'encrypted'), join(copy.dir, 'key', 'encrypted'), { recursive: true });
for (const file of ['genesis.json', 'config.toml', 'calibration.json']) copyFileSync(join(original.dir, file), join(copy.dir, file));
for (const node of [...honest, ...twins]) {
  node.flags['p2p.discovery'] = 'false';
  node.seeds = honest.filter((other) => other !== node).map((other) => other.port);
}
for (const twin of twins) twin.flags['p2p.advertise'] = `/ip4/127.0.0.1/tcp/${NOBODY}`;
const genesis = JSON.parse(readFileSync(join(dir, 'genesis.json'), 'utf8'));

const block = (node, height) => rpc(node.url, 'theta.GetBlockByHeight', { height: String(height) });
const account = (address, height) => rpc(first.url, 'theta.GetAccount', { address, height: String(height) });

// Coins of all these addresses after a height.
async function coins(addresses, height) {
  const sum = { theta: 0n, tfuel: 0n };
  for (let start = 0; start < addresses.length; start += BATCH) {
    const some = addresses.slice(start, start + BATCH);
    const calls = some.map((address, id) => ({ jsonrpc: '2.0', id, method: 'theta.GetAccount', params: { address, height: String(height) } }));
    const response = await fetch(first.url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(calls) });
    for (const { result, error } of await response.json()) {
      assert(result || /is not found/.test(error.message), error?.message);
      sum.theta += BigInt(result?.coins.thetawei ?? 0);
      sum.tfuel += BigInt(result?.coins.tfuelwei ?? 0);
    }
  }
  return sum;
}

async function candidates(node, height) {
  const asked = await vigil(['query', 'vcp', '--height', String(height)], { env: { VIGIL_REMOTE_RPC_ENDPOINT: node.url } });
  assertEqual(asked.code, 0, `query vcp (${asked.stderr})`);
  return JSON.parse(asked.stdout).BlockHashVcpPairs[0].Vcp.SortedCandidates;
}

const holders = (pool) => pool.map((one) => one.Holder.toLowerCase());
const hasProposed = async (node) => {
  const metrics = await (await fetch(`http://127.0.0.1:${node.port + 4}/metrics`)).text();
  return /^vigil_consensus_sent_total\{kind="proposal"\} [1-9]/m.test(metrics);
};
const unixSeconds = () => Math.floor(Date.now() / 1000);

let scanned = 0;
const blocks = [];
async function slashes() {
  for (const settled = await first.height(); scanned < settled; scanned++) blocks.push(await block(first, scanned + 1));
  return blocks.flatMap((b) => (b.transactions ?? []).filter((tx) => tx.type === SLASH).map((tx) => ({ ...tx, height: Number(b.height) })));
}

let slash;
await run({
  'a key in two places is reported, and a Slash transaction settles': async () => {
    original.start();
    await original.until('its proposal', () => hasProposed(original));
    // Blocks of one second would be the same.
    const proposed = unixSeconds();
    await until('the next second', () => unixSeconds() > proposed);
    copy.start();
    await copy.until('its proposal', () => hasProposed(copy));
    // One other is no quorum with the key: epoch 1 lasts until it has heard both.
    first.start();
    await first.says(/broke the protocol/);
    for (const node of honest.filter((node) => node !== first)) node.start();
    [slash] = await first.until('a Slash transaction', async () => {
      const found = await slashes();
      return found.length > 0 && found;
    }, 120);
    assertEqual(slash.raw.slashed_address.toLowerCase(), offender, 'who is slashed');
    const evidence = Buffer.from(slash.raw.slash_proof, 'base64');
    assert([1, 2].includes(evidence[0]), `two proposals or two votes, got kind ${evidence[0]}`);
    console.log(`     evidence of kind ${evidence[0]} at height ${slash.height}, ${evidence.length} bytes`);
  },

  'its stake is gone and it is out of the committee': async () => {
    const before = await candidates(first, slash.height - 1);
    const after = await candidates(first, slash.height);
    assert(holders(before).includes(offender), `${offender} had stake`);
    assertEqual(holders(after).sort().join(), holders(before).filter((one) => one !== offender).sort().join(), 'who has stake');
    for (const node of honest) assertEqual(JSON.stringify(await candidates(node, slash.height)), JSON.stringify(after), node.dir);
  },

  'the reporter has its share, to the wei': async () => {
    const reporter = slash.raw.proposer.address;
    const [before, after] = [await account(reporter, slash.height - 1), await account(reporter, slash.height)];
    assertEqual(BigInt(after.coins.thetawei) - BigInt(before.coins.thetawei), SHARE, 'its share');
    assertEqual(BigInt(after.sequence) - BigInt(before.sequence), 1n, 'its sequence');
  },

  'the chain goes on with three validators, both twins connected': async () => {
    const from = await first.height();
    for (const node of [...honest, ...twins]) await node.settles(from + 8);
    for (let height = from + 6; height <= from + 8; height++) assert((await block(first, height)).proposer !== offender, `proposer of ${height}`);
  },

  'and with both stopped': async () => {
    for (const twin of twins) await twin.stop();
    for (const node of honest) await node.goesOn(8);
  },

  'all nodes have the same state, and every coin is accounted for': async () => {
    const height = Math.min(...(await Promise.all(honest.map((node) => node.height()))));
    assertEqual((await slashes()).length, 1, 'Slash transactions');
    const heads = await Promise.all(honest.map((node) => block(node, height)));
    for (const head of heads) {
      assertEqual(head.hash, heads[0].hash, `hash at ${height}`);
      assertEqual(head.state_hash, heads[0].state_hash, `state root at ${height}`);
    }
    const minted = blocks
      .filter((b) => Number(b.height) <= height)
      .flatMap((b) => (b.transactions ?? []).filter((tx) => tx.type === COINBASE).flatMap((tx) => tx.raw.outputs));
    const told = [...genesis.accounts.map((a) => a.address), ...minted.map((out) => out.address), slash.raw.proposer.address];
    const addresses = [...new Set(told.map((address) => address.toLowerCase()))];
    const held = await coins(addresses, height);
    const staked = (await candidates(first, height)).flatMap((one) => one.Stakes.map((stake) => BigInt(stake.amount)));
    const burned = STAKE - SHARE;
    assertEqual(held.theta + staked.reduce((a, b) => a + b), 1_000_000_000n * WEI - burned, 'stake tokens');
    const rewards = minted.reduce((sum, out) => sum + BigInt(out.coins.tfuelwei), 0n);
    assert(rewards > 0n, 'validators were paid');
    assertEqual(held.tfuel, 5_000_000_000n * WEI + rewards, 'operational tokens');
  },

  'all end cleanly': async () => {
    for (const node of honest) await node.stop();
    const bad = honest.flatMap((node) => node.complaints).filter((line) => /ERROR|panicked/.test(line));
    assertEqual(bad.join('\n'), '', 'complaints');
    rmSync(dir, { recursive: true, force: true });
  },
});
