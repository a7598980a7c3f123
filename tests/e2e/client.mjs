// The npm package @thetalabs/theta-js, unmodified, against a localnet: account, send, wait for inclusion, stake, read back.
import thetajs from '@thetalabs/theta-js';
import { join } from 'node:path';
import { DEV_ADDRESS, DEV_KEY, Localnet, RECIPIENT, assert, assertEqual, rpc, until, vigil } from './lib.mjs';
import { run } from './lib.mjs';

const { providers, transactions, Wallet } = thetajs;
const WEI = 10n ** 18n;
const FEE = 3n * 10n ** 17n;

const net = await Localnet.start({ basePort: 21000, args: ['--guardians', '2', '--guardian-processes', '1'] });
const provider = new providers.HttpProvider('privatenet', net.url());
const wallet = new Wallet(DEV_KEY, provider);
const balance = async (address, coin) => BigInt((await provider.getAccount(address)).coins[coin]);
const included = (hash) =>
  until(`${hash} settled`, async () => {
    const tx = await provider.getTransaction(hash);
    return tx.status === 'finalized' && tx;
  });

await run({
  'an account reads as the client expects': async () => {
    assertEqual(wallet.getAddress(), DEV_ADDRESS, 'address');
    const account = await provider.getAccount(DEV_ADDRESS);
    assertEqual(account.sequence, '0', 'sequence');
    assertEqual(account.coins.thetawei, (12_500_000n * WEI).toString(), 'stake tokens');
    assertEqual(account.coins.tfuelwei, (50_000_000n * WEI).toString(), 'operational tokens');
    assertEqual(await provider.getTransactionCount(DEV_ADDRESS), 0, 'transaction count');
    assert((await provider.getBlockNumber()) > 0, 'a block number');
  },

  'a send that waits answers with the block that holds it': async () => {
    const before = await balance(RECIPIENT, 'thetawei');
    const tx = new transactions.SendTransaction({
      from: DEV_ADDRESS,
      outputs: [{ address: RECIPIENT, thetaWei: (10n * WEI).toString(), tfuelWei: (20n * WEI).toString() }],
    });
    const answer = await wallet.sendTransaction(tx);
    assert(/^0x[0-9a-f]{64}$/.test(answer.hash), `a hash, got ${answer.hash}`);
    assert(answer.block && answer.block.Height > 0, 'a block header');
    const seen = await included(answer.hash);
    assertEqual(seen.type, 2, 'type');
    assertEqual((await balance(RECIPIENT, 'thetawei')) - before, 10n * WEI, 'what the recipient gained');
    const account = await provider.getAccount(DEV_ADDRESS);
    assertEqual(account.sequence, '1', 'sequence');
    assertEqual(account.coins.tfuelwei, (50_000_000n * WEI - 20n * WEI - FEE).toString(), 'what is left');
    const block = await provider.getBlock(seen.block_hash);
    assert(block.transactions.some((t) => t.hash === answer.hash), 'the block lists it');
  },

  'sends one after another need no waiting': async () => {
    provider.setBroadcastAsync(true);
    const { sequence } = await provider.getAccount(DEV_ADDRESS);
    const hashes = [];
    for (let i = 1; i <= 5; i++) {
      const tx = new transactions.SendTransaction({
        from: DEV_ADDRESS,
        outputs: [{ address: RECIPIENT, thetaWei: '0', tfuelWei: String(i) }],
        sequence: Number(sequence) + i,
      });
      hashes.push((await wallet.sendTransaction(tx)).hash);
    }
    for (const hash of hashes) await included(hash);
    provider.setBroadcastAsync(false);
    assertEqual((await provider.getAccount(DEV_ADDRESS)).sequence, String(Number(sequence) + 5), 'sequence');
  },

  'a stake deposit shows in the validator pool': async () => {
    const status = await rpc(net.url(), 'theta.GetStatus');
    const pool = await rpc(net.url(), 'theta.GetVcpByHeight', { height: status.latest_finalized_block_height });
    const holder = pool.BlockHashVcpPairs[0].Vcp.SortedCandidates[0].Holder;
    const tx = new transactions.DepositStakeTransaction({
      source: DEV_ADDRESS,
      holder,
      purpose: 0,
      amount: (200_000n * WEI).toString(),
    });
    const answer = await wallet.sendTransaction(tx);
    const seen = await included(answer.hash);
    const after = await rpc(net.url(), 'theta.GetVcpByHeight', { height: seen.block_height });
    const candidate = after.BlockHashVcpPairs[0].Vcp.SortedCandidates.find((c) => c.Holder === holder);
    const stake = candidate.Stakes.find((s) => s.source === DEV_ADDRESS.toLowerCase());
    assertEqual(stake.amount, (200_000n * WEI).toString(), 'the stake');
    assertEqual(stake.withdrawn, false, 'withdrawn');
    assertEqual(await balance(DEV_ADDRESS, 'thetawei'), (12_500_000n - 10n - 200_000n) * WEI, 'what is left');
  },

  'guardians of the genesis share a node that follows': async () => {
    const status = await rpc(net.url(4), 'theta.GetStatus');
    const height = status.latest_finalized_block_height;
    assert(Number(height) > 0, `node 4 has settled ${height}`);
    const [{ Gcp }] = (await rpc(net.url(4), 'theta.GetGcpByHeight', { height })).BlockHashGcpPairs;
    assertEqual(Gcp.SortedGuardians.length, 2, 'guardians');
    assert(Gcp.SortedGuardians.some((g) => g.Holder.toLowerCase() === status.address.toLowerCase()), 'one has its address');
    const amounts = Gcp.SortedGuardians.flatMap((g) => g.Stakes.map((s) => s.amount));
    assert(amounts.every((amount) => amount === (100_000n * WEI).toString()), `stakes ${amounts}`);
  },

  'a deposit with the summary of `vigil guardian key` shows in the guardian pool': async () => {
    const dir = join(net.dataDir, 'operator');
    const done = async (args) => {
      const ended = await vigil(args, { env: { VIGIL_HOME: net.home, VIGIL_REMOTE_RPC_ENDPOINT: net.url() } });
      assertEqual(ended.code, 0, `${args.join(' ')} (${ended.stderr})`);
      return ended.stdout;
    };
    await done(['init', '--data-dir', dir, '--genesis', join(net.dataDir, 'genesis.json')]);
    const key = JSON.parse(await done(['guardian', 'key', '--data-dir', dir, '--password', 'correct horse', '--json']));
    const deposit = ['tx', 'deposit', '--chain=privatenet', '--source', DEV_ADDRESS, '--purpose=1', '--stake=1000'];
    const sent = JSON.parse(await done([...deposit, '--holder', key.Summary, '--password=qwertyuiop', '--json']));
    const { block_height: height } = await included(sent.hash);
    const [{ Gcp }] = (await rpc(net.url(), 'theta.GetGcpByHeight', { height })).BlockHashGcpPairs;
    const guardian = Gcp.SortedGuardians.find((g) => g.Holder.toLowerCase() === key.Address.toLowerCase());
    assertEqual(guardian?.Stakes[0].amount, (1_000n * WEI).toString(), 'the stake');
    assertEqual(guardian.Stakes[0].source.toLowerCase(), DEV_ADDRESS.toLowerCase(), 'the source');
  },

  'the chain goes on after the set has changed': async () => {
    const height = Number((await rpc(net.url(), 'theta.GetStatus')).latest_finalized_block_height);
    await until('ten more blocks', async () => {
      const status = await rpc(net.url(), 'theta.GetStatus');
      return Number(status.latest_finalized_block_height) >= height + 10;
    });
  },

  'mistakes get the texts the client knows': async () => {
    const refused = async (tx, pattern) => {
      try {
        await wallet.sendTransaction(tx);
      } catch (error) {
        assert(pattern.test(error.message), `${error.message} does not match ${pattern}`);
        return;
      }
      throw new Error('was accepted');
    };
    const send = (tfuelWei, sequence) =>
      new transactions.SendTransaction({
        from: DEV_ADDRESS,
        outputs: [{ address: RECIPIENT, thetaWei: '0', tfuelWei }],
        sequence,
      });
    const { sequence } = await provider.getAccount(DEV_ADDRESS);
    await refused(send('1', Number(sequence) + 7), /Got \d+, expected \d+/);
    await refused(send((10n ** 27n).toString(), Number(sequence) + 1), /[Ii]nsufficient fund|don't have enough|enough/);
  },

  'the localnet ends cleanly': async () => {
    const { code } = await net.stop();
    assertEqual(code, 0, 'exit code');
    net.remove();
  },
});
