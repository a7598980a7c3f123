// kill -9 under load: one validator at a time, then all four at once. The network comes back by itself, nobody signs twice,
// all roots are equal and nothing that was acknowledged as settled is lost.
import thetajs from '@thetalabs/theta-js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEV_ADDRESS, DEV_KEY, Localnet, RECIPIENT, assert, assertEqual, pidOf, rpc, run, settledHeight, until, vigil } from './lib.mjs';

const LONG = process.env.VIGIL_TEST_LONG === '1';
const SINGLE_KILLS = LONG ? 20 : 3;
const ALL_KILLS = LONG ? 5 : 1;
const NODES = [0, 1, 2, 3];

const net = await Localnet.start({ basePort: 21200, args: ['--restart', '--sent-log', '--load', '100'] });
const nodeDir = (i) => join(net.dataDir, `node${i}`);
const pid = (i) => pidOf(join(nodeDir(i), 'LOCK'));
const kill = (i) => {
  const victim = pid(i);
  process.kill(victim, 'SIGKILL');
  return victim;
};

// A client that sends one transaction after another, each waiting to be settled; what was acknowledged is remembered.
const acknowledged = [];
let sending = true;
async function client() {
  const { providers, transactions, Wallet } = thetajs;
  while (sending) {
    for (const node of NODES) {
      if (!sending) return;
      const wallet = new Wallet(DEV_KEY, new providers.HttpProvider('privatenet', net.url(node)));
      const outputs = [{ address: RECIPIENT, thetaWei: '0', tfuelWei: '1' }];
      try {
        const { hash, block } = await wallet.sendTransaction(new transactions.SendTransaction({ from: DEV_ADDRESS, outputs }));
        if (block) acknowledged.push({ hash, height: block.Height });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50)); // killed, starting, or the sequence moved: the next node
      }
    }
  }
}
const clientDone = client();

const backAndAhead = (i, victim, height) =>
  until(`node ${i} rejoins past height ${height}`, async () => {
    const now = pid(i);
    return now && now !== victim && (await settledHeight(net.url(i))) > height;
  });

async function allAgree() {
  const heights = await Promise.all(NODES.map((i) => settledHeight(net.url(i))));
  const height = Math.min(...heights);
  const blocks = await Promise.all(NODES.map((i) => rpc(net.url(i), 'theta.GetBlockByHeight', { height: String(height) })));
  for (const block of blocks) {
    assertEqual(block.hash, blocks[0].hash, `hash at ${height}`);
    assertEqual(block.state_hash, blocks[0].state_hash, `state root at ${height}`);
  }
  return height;
}

// Sources are ranked by validator set, then by height: the first source of a later set may be lower than the last one of the
// set before. Numbers alone are compared: a log without one of them fails.
const sinks = (vote, before) =>
  !(vote.source_set > before.source_set || (vote.source_set === before.source_set && vote.source_height >= before.source_height));

// No two messages that left a node contradict each other, and its journal, read back after all the kills, knows of nothing
// lower than what was sent: a message that left before its record was durable would show here.
async function neverSignedTwice(i) {
  const sent = readFileSync(join(nodeDir(i), 'sent.jsonl'), 'utf8').split('\n').filter(Boolean);
  const votes = new Map();
  const proposals = new Map();
  let epochChange = 0;
  let cut = 0;
  let highest = { height: 0, epoch: 0, source_set: 0, source_height: 0 };
  for (const line of sent) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      cut += 1; // by kill -9, in the middle of a line
      continue;
    }
    if (message.kind === 'vote') {
      const known = votes.get(message.height);
      assert(!known || known === message.hash, `node ${i} voted twice at height ${message.height}`);
      if (!known) {
        assert(message.height > highest.height && message.epoch > highest.epoch, `node ${i} voted backwards at ${message.height}`);
        assert(!sinks(message, highest), `node ${i} lowered its source at ${message.height}`);
        highest = message;
      }
      votes.set(message.height, message.hash);
    } else if (message.kind === 'proposal') {
      const known = proposals.get(message.epoch);
      assert(!known || known === message.hash, `node ${i} proposed twice in epoch ${message.epoch}`);
      proposals.set(message.epoch, message.hash);
    } else {
      epochChange = Math.max(epochChange, message.epoch);
    }
  }
  assert(cut <= SINGLE_KILLS + ALL_KILLS, `node ${i} has ${cut} unreadable lines`);
  assert(votes.size > 0 && proposals.size > 0, `node ${i} sent votes and proposals`);
  const dump = await vigil(['db', 'journal', '--data-dir', nodeDir(i), '--json']);
  assertEqual(dump.code, 0, `db journal of node ${i} (${dump.stderr})`);
  const journal = JSON.parse(dump.stdout.trim().split('\n').pop());
  assert(journal.last_vote.height >= highest.height, `node ${i} sent a vote for ${highest.height} its journal does not know`);
  const proposed = Math.max(...proposals.keys());
  assert(journal.last_proposal.epoch >= proposed, `node ${i} sent a proposal of epoch ${proposed} its journal does not know`);
  assert((journal.last_ec ?? 0) >= epochChange, `node ${i} sent an epoch change to ${epochChange} its journal does not know`);
  if (journal.last_vote.height === highest.height) assertEqual(journal.last_vote.hash, highest.hash, `last vote of node ${i}`);
}

await run({
  [`${SINGLE_KILLS} single kills`]: async () => {
    for (let k = 0; k < SINGLE_KILLS; k++) {
      const i = k % NODES.length;
      const height = await settledHeight(net.url((i + 1) % NODES.length));
      const victim = kill(i);
      await backAndAhead(i, victim, height + 2);
    }
  },

  [`${ALL_KILLS} kills of all four at once`]: async () => {
    for (let k = 0; k < ALL_KILLS; k++) {
      const height = await settledHeight(net.url(0));
      const victims = NODES.map(kill);
      await Promise.all(NODES.map((i) => backAndAhead(i, victims[i], height + 2)));
    }
  },

  'all roots are equal': allAgree,

  'nothing acknowledged as settled is lost': async () => {
    await until('an acknowledged transaction', () => acknowledged.length > 0);
    sending = false;
    await clientDone;
    const last = Math.max(...acknowledged.map((a) => a.height));
    for (const i of NODES) {
      await until(`node ${i} at ${last}`, async () => (await settledHeight(net.url(i))) >= last);
      for (const { hash, height } of acknowledged) {
        const tx = await rpc(net.url(i), 'theta.GetTransaction', { hash });
        assertEqual(tx.status, 'finalized', `node ${i}, transaction ${hash}`);
        assertEqual(Number(tx.block_height), height, `node ${i}, height of ${hash}`);
      }
    }
    console.log(`     ${acknowledged.length} acknowledged transactions, all there`);
  },

  'nobody signed twice': async () => {
    const { code } = await net.stop();
    assertEqual(code, 0, 'exit code');
    for (const i of NODES) {
      await neverSignedTwice(i);
    }
    net.remove();
  },
});
