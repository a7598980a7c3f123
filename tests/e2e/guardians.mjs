// 4 validators and 100 guardians in 6 processes: checkpoints become final with guardians killed, restarted and a third of
// them silent; a partition during a checkpoint heals into the next one; nobody votes twice.
//
// The network is cut by wires: the three processes on the far side reach the others only through TCP proxies of this test.
// (Nobody dials them from here, and with `p2p.discovery` off nobody dials an address that a peer names.) The
// validators are all on the near side, so that settlement goes on, and neither side has two thirds of the guardians.
import { rmSync } from 'node:fs';
import { Finality, nobodyVotedTwice } from './finality.mjs';
import { assert, assertEqual, rpc, run, tempDir, until } from './lib.mjs';
import { localnetNodes } from './operator.mjs';
import { Wire } from './wire.mjs';

const LONG = process.env.VIGIL_TEST_LONG === '1';
const KILLS = LONG ? 20 : 2;
const PARTITIONS = LONG ? 4 : 1;
const BASE_PORT = 21800;
const INTERVAL = 10;
const BLOCK_MS = 500;
const GUARDIANS = 100;
const SEED = Number(process.env.VIGIL_TEST_SEED ?? 4);

// Numbers in [0, 1), always the same ones for a seed (mulberry32).
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = randomNumbers(SEED);
console.log(`     seed ${SEED}`);

const dir = tempDir();
const shape = ['--validators', '4', '--guardians', String(GUARDIANS), '--guardian-processes', '6'];
const nodes = await localnetNodes({ dir, basePort: BASE_PORT, count: 10, args: [...shape, '--genesis', `checkpoint_interval=${INTERVAL}`] });
const validators = nodes.slice(0, 4);
const [near, far] = [nodes.slice(0, 7), nodes.slice(7)];
// 17 + 16 guardians are silent, so that each of the 67 others (17 + 17 + 17 + 16) is needed for a quorum.
const [unborn, frozen] = [nodes[7], nodes[9]];
const awake = nodes.filter((node) => node !== unborn && node !== frozen);
const hosts = awake.slice(4);

const wires = near.map((node) => new Wire(node.port + 9, node.port + 3));
await Promise.all(wires.map((wire) => wire.ready));
for (const node of nodes) node.flags['p2p.discovery'] = 'false';
near.forEach((node) => (node.seeds = near.filter((other) => other !== node).map((other) => other.port)));
far.forEach((node) => (node.seeds = [...near.map((other) => other.port + 6), ...far.filter((other) => other !== node).map((other) => other.port)]));

const finality = new Finality(INTERVAL);
const isFinal = async (node) => (await finality.of(node)).final;

async function nothingAbove(height, who) {
  for (const node of who) {
    const final = await isFinal(node);
    assert(final <= height, `${node.dir} has ${final} as final, without a quorum above ${height}`);
  }
}

const goesOnTo = (height) => until(`${height} is settled`, async () => (await finality.settled(validators)) >= height);

await run({
  'with a sixth of the guardians never started, checkpoints become final': async () => {
    for (const node of nodes.filter((node) => node !== unborn)) node.start();
    await Promise.all(nodes.filter((node) => node !== unborn).map((node) => node.until(`${node.dir} answers`, () => node.status())));
    await finality.goesOn([...awake, frozen]);
  },

  'with another sixth connected and silent too': async () => {
    frozen.child.kill('SIGSTOP');
    await finality.goesOn(awake);
  },

  [`${KILLS} kills of guardians while a third is silent`]: async () => {
    for (let k = 0; k < KILLS; k++) {
      const victim = hosts[Math.floor(random() * hosts.length)];
      const others = awake.filter((node) => node !== victim);
      await new Promise((resolve) => setTimeout(resolve, random() * INTERVAL * BLOCK_MS)); // any moment of an interval
      await victim.kill();
      const last = await finality.underWay(others);
      // Every other one is away for a checkpoint, which must wait for it: those who are left are no quorum.
      if (k % 2 === 1) await goesOnTo(last + INTERVAL + 3);
      await nothingAbove(last, others);
      victim.start();
      await finality.goesOn(awake);
    }
  },

  'those who were silent come back': async () => {
    frozen.child.kill('SIGCONT');
    unborn.start();
    await finality.goesOn(nodes);
  },

  [`${PARTITIONS} partitions during a checkpoint heal into the next`]: async () => {
    for (let k = 0; k < PARTITIONS; k++) {
      const before = await finality.settled(near);
      const next = (Math.floor(before / INTERVAL) + 1) * INTERVAL;
      await goesOnTo(next);
      const votedOn = await isFinal(near[0]);
      wires.forEach((wire) => (k % 2 === 0 ? wire.hold() : wire.sever()));
      const last = await finality.underWay(nodes);
      const missed = last + INTERVAL;
      await goesOnTo(missed + 3);
      await nothingAbove(last, nodes);
      const stuck = await finality.settled(far);
      assert(stuck < last + INTERVAL, `the far side has settled ${stuck}, cut off at ${last}`);
      wires.forEach((wire) => wire.heal());
      const final = await finality.goesOn(nodes);
      console.log(`     cut at ${next} (${votedOn} was final), ${missed} missed, then ${final} was final everywhere`);
    }
  },

  'all nodes agree on what is final': async () => {
    const { top, certs } = await finality.agreed(nodes);
    console.log(`     ${top / INTERVAL} checkpoints, ${certs} certificates in blocks`);
    const { BlockHashGcpPairs: pairs } = await rpc(nodes[0].url, 'theta.GetGcpByHeight', { height: String(top) });
    assertEqual(pairs[0].Gcp.SortedGuardians.length, GUARDIANS, 'guardians with stake');
  },

  'no guardian has voted twice, and nobody has seen one do so': async () => {
    const { hashes } = await finality.agreed(nodes);
    await Promise.all(nodes.map((node) => node.stop()));
    wires.forEach((wire) => wire.close());
    assertEqual(nobodyVotedTwice(nodes, hashes), GUARDIANS, 'guardians that have voted');
    const complaints = nodes.flatMap((node) => node.complaints.map((line) => `${node.dir}: ${line}`));
    console.log(`     ${complaints.length} warnings`);
    const bad = complaints.filter((line) => /ERROR|panicked|broke the protocol|does not vote|not voting/.test(line));
    assertEqual(bad.join('\n'), '', 'complaints');
    rmSync(dir, { recursive: true, force: true });
  },
});
