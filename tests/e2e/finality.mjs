// What is asked of the nodes of a network with guardians: what is final, and what guardians have signed.
import rlp from '@ethersproject/rlp';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { assert, assertEqual, rpc } from './lib.mjs';

// As many blocks a node may be ahead of what the others said just now.
const AHEAD = 2;
// As many checkpoints may be settled before one of them is final again.
const CHECKPOINTS_MAX = 10;
const RANGE = 100;
const RECORD_HEADER = 12;
const VOTE = 0x10;

export class Finality {
  // `interval`: blocks between checkpoints.
  constructor(interval) {
    this.interval = interval;
    this.claims = new Map(); // height -> hashes that some node has called final
  }

  // What a node has settled and what it holds for final; the latter is remembered.
  async of(node) {
    const status = await node.status();
    const final = Number(status.finalized_height ?? 0);
    if (final > 0) this.claims.set(final, (this.claims.get(final) ?? new Set()).add(status.finalized_hash));
    return { settled: Number(status.latest_finalized_block_height), final };
  }

  // What the nodes have settled at most; those that do not answer are left out.
  async settled(nodes) {
    const asked = await Promise.allSettled(nodes.map((node) => this.of(node)));
    const heights = asked.flatMap(({ value }) => value?.settled ?? []);
    assert(heights.length > 0, 'somebody answers');
    return Math.max(...heights);
  }

  // The highest checkpoint that guardians can have begun to vote on.
  async underWay(nodes) {
    return Math.floor(((await this.settled(nodes)) + AHEAD) / this.interval) * this.interval;
  }

  // A checkpoint above all that is settled now becomes final on each of the nodes, after a bounded number of others.
  async goesOn(nodes, seconds = 240) {
    const from = await this.settled(nodes);
    const higher = async (node) => {
      const at = await this.of(node);
      return at.final > from && at;
    };
    const reached = await Promise.all(nodes.map((node) => node.until(`${node.dir} has more than ${from} final`, () => higher(node), seconds)));
    const blocks = Math.max(...reached.map((at) => at.settled)) - from;
    assert(blocks <= CHECKPOINTS_MAX * this.interval, `${blocks} blocks were settled before one above ${from} was final`);
    return Math.min(...reached.map((at) => at.final));
  }

  // Blocks `from` to `to` of a node.
  async blocks(node, from, to) {
    const blocks = [];
    for (let start = from; start <= to; start += RANGE) {
      const end = Math.min(start + RANGE - 1, to);
      if (start === end) blocks.push(await rpc(node.url, 'theta.GetBlockByHeight', { height: String(end) }));
      else blocks.push(...(await rpc(node.url, 'theta.GetBlocksByRange', { start: String(start), end: String(end) })));
    }
    return blocks;
  }

  // All have the same blocks and know each checkpoint up to the least final one as final; whatever any of them ever called
  // final is a block of this chain, and so is what the certificates in its blocks name. Answers the hashes by height.
  async agreed(nodes) {
    const top = Math.min(...(await Promise.all(nodes.map((node) => this.of(node)))).map((at) => at.final));
    assert(top > 0, 'something is final');
    const [chain, ...others] = await Promise.all(nodes.map((node) => this.blocks(node, 1, top)));
    const hashes = new Map(chain.map((block) => [Number(block.height), block.hash]));
    assertEqual(hashes.size, top, 'blocks');
    for (const [i, blocks] of [chain, ...others].entries()) {
      for (const block of blocks) {
        assertEqual(block.hash, hashes.get(Number(block.height)), `hash at ${block.height} of ${nodes[i].dir}`);
        assert(block.guardian_finalized, `${nodes[i].dir} knows ${block.height} as final, with ${top} final`);
      }
    }
    for (const [height, claimed] of this.claims) {
      if (height <= top) assertEqual([...claimed].join(), hashes.get(height), `what was called final at ${height}`);
    }
    const certs = chain.map((block) => block.guardian_votes ?? block.GuardianVotes).filter(Boolean);
    assert(certs.length > 0, 'a certificate stands in a block');
    for (const cert of certs) assertEqual(cert.Block, hashes.get(cert.Height), `certificate for ${cert.Height}`);
    assert(chain.every((block) => (block.transactions ?? []).every((tx) => tx.type !== 1)), 'nobody was slashed');
    return { top, hashes, certs: certs.length };
  }
}

// The votes in a guardian's journal, oldest first. (`crates/store/src/journal.rs` has the form.)
function votes(path) {
  const bytes = readFileSync(path);
  assertEqual(bytes.subarray(0, 8).toString(), 'VIGILJNL', path);
  const found = [];
  let at = 10 + bytes[9] + 4;
  while (at < bytes.length) {
    const payload = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + bytes.readUInt32LE(at));
    assertEqual(payload[0], VOTE, `kind of a record in ${path}`);
    const [, height, block] = rlp.decode(payload.subarray(1));
    found.push({ height: Number(height), block });
    at += RECORD_HEADER + payload.length;
  }
  return found;
}

// No guardian of these nodes, which must have been stopped, has voted twice at a height or for a block that is not of the
// chain. Answers how many have voted.
export function nobodyVotedTwice(nodes, hashes) {
  let voters = 0;
  for (const node of nodes) {
    const dir = join(node.dir, 'journal');
    for (const name of readdirSync(dir).filter((name) => /^guardian-[0-9a-f]+$/.test(name))) {
      const cast = votes(join(dir, name));
      cast.forEach(({ height, block }, i) => {
        assert(i === 0 || height > cast[i - 1].height, `${name} voted at ${cast[i - 1]?.height} and then at ${height}`);
        if (hashes.has(height)) assertEqual(block, hashes.get(height), `vote of ${name} at ${height}`);
      });
      voters += cast.length > 0;
    }
  }
  return voters;
}
