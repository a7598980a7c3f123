// ethers v6: the chain, accounts, native transfers of every type, pending nonces, block tags.
import { Transaction, id, keccak256 } from 'ethers';
import { assert, assertEqual, until } from '../lib.mjs';
import { BASE_FEE, BLOCK_GAS_MAX, CHAIN_ID, IS_VIGIL, LONG, assertEstimate } from './chain.mjs';
import { Kit } from './kit.mjs';

// EIP-2930: an access list costs gas beside the 21,000.
const LIST_ADDRESS_GAS = 2400n;
const LIST_KEY_GAS = 1900n;
const TRANSFER_GAS = 21_000n;

export default function (chain) {
  const kit = new Kit(chain, 'ethers');
  const { provider, wallet } = kit;
  const rpc = (method, params) => chain.rpc(method, params);

  // Signs here, sends the bytes: the hash that the node answers must be that of the bytes.
  async function send(fields) {
    const tx = await wallet.populateTransaction({ gasLimit: TRANSFER_GAS, ...fields });
    const signed = await wallet.signTransaction(tx);
    assertEqual(await rpc('eth_sendRawTransaction', [signed]), keccak256(signed), 'hash');
    return Transaction.from(signed);
  }

  return {
    'the network and its newest block': async () => {
      const network = await provider.getNetwork();
      assertEqual(network.chainId, BigInt(CHAIN_ID), 'chain id');
      assertEqual(await rpc('net_version'), String(CHAIN_ID), 'net_version');
      const number = await provider.getBlockNumber();
      assert(number >= 1, `block number ${number}`);
      const [block, parent] = await Promise.all([provider.getBlock(number), provider.getBlock(number - 1)]);
      assertEqual(block.number, number, 'number');
      assertEqual(block.parentHash, parent.hash, 'parent');
      assert(block.timestamp >= parent.timestamp, 'timestamps ascend');
      assertEqual((await provider.getBlock(block.hash)).number, number, 'by hash');
      assertEqual(block.gasLimit, BLOCK_GAS_MAX, 'gas limit');
      assert(block.baseFeePerGas > 0n, 'a base fee');
      if (IS_VIGIL) assertEqual(block.baseFeePerGas, BASE_FEE, 'base fee');
    },

    'fees cover the base fee': async () => {
      const [fees, block] = await Promise.all([provider.getFeeData(), provider.getBlock('latest')]);
      assert(fees.maxFeePerGas >= block.baseFeePerGas, `max fee ${fees.maxFeePerGas}`);
      assert(fees.maxPriorityFeePerGas >= 0n && fees.maxPriorityFeePerGas <= fees.maxFeePerGas, `tip ${fees.maxPriorityFeePerGas}`);
      if (IS_VIGIL) assert(fees.gasPrice >= BASE_FEE, `gas price ${fees.gasPrice}`);
    },

    'transfers of type 0, 1 and 2, side by side': async () => {
      const to = kit.party().address;
      const accessList = [{ address: kit.party().address, storageKeys: [id('a'), id('b')] }];
      const listGas = LIST_ADDRESS_GAS + 2n * LIST_KEY_GAS;
      const gasPrice = 2n * BASE_FEE;
      const before = { from: await kit.balance(wallet.address), to: await kit.balance(to) };
      const nonce = await wallet.getNonce();
      const sent = [];
      sent.push(await send({ to, value: 1n, type: 0, gasPrice }));
      sent.push(await send({ to, value: 20n, type: 1, gasPrice, accessList, gasLimit: TRANSFER_GAS + listGas }));
      sent.push(await send({ to, value: 300n, type: 2, maxFeePerGas: gasPrice, maxPriorityFeePerGas: 7n }));
      let fees = 0n;
      for (const [type, tx] of sent.entries()) {
        const receipt = await kit.mined(tx.hash);
        const used = TRANSFER_GAS + (type === 1 ? listGas : 0n);
        assertEqual(receipt.status, 1, 'status');
        assertEqual(receipt.type, type, 'type');
        assertEqual(receipt.gasUsed, used, `gas of type ${type}`);
        assertEqual(receipt.from, wallet.address, 'from');
        assertEqual(receipt.to, to, 'to');
        assertEqual(receipt.contractAddress, null, 'contract address');
        assertEqual(receipt.logs.length, 0, 'logs');
        const base = (await provider.getBlock(receipt.blockNumber)).baseFeePerGas;
        assertEqual(receipt.gasPrice, type === 2 ? base + 7n : gasPrice, 'effective gas price');
        fees += kit.fee(receipt);

        const seen = await provider.getTransaction(tx.hash);
        assertEqual(seen.nonce, nonce + type, 'nonce');
        assertEqual(seen.value, tx.value, 'value');
        assertEqual(seen.chainId, BigInt(CHAIN_ID), 'chain id');
        assertEqual(seen.blockHash, receipt.blockHash, 'block hash');
        assertEqual(seen.index, receipt.index, 'index');
        assertEqual((await rpc('eth_getTransactionByBlockHashAndIndex', [receipt.blockHash, `0x${receipt.index.toString(16)}`])).hash, tx.hash, 'by its place');
        assertEqual(seen.accessList?.length ?? 0, type === 1 ? 1 : 0, 'access list');
        // The same bytes again, from what the node tells.
        assertEqual(Transaction.from(seen).serialized, tx.serialized, 'bytes');
        const block = await provider.getBlock(receipt.blockNumber, true);
        assertEqual(block.transactions[receipt.index], tx.hash, 'the block lists it');
      }
      assertEqual((await kit.balance(to)) - before.to, 321n, 'what the recipient gained');
      assertEqual(before.from - (await kit.balance(wallet.address)), 321n + fees, 'what the sender paid');
      assertEqual(await wallet.getNonce('latest'), nonce + 3, 'nonce');
    },

    'an estimate of a transfer is what it uses': async () => {
      const to = kit.party().address;
      assertEstimate(await wallet.estimateGas({ to, value: 1n }), TRANSFER_GAS, 'a transfer');
      const data = '0x00ff00ff'; // 2 zero bytes, 2 others; the floor of EIP-7623: 10 gas a token
      const tx = { to, value: 1n, data };
      const estimate = await wallet.estimateGas(tx);
      const receipt = await (await wallet.sendTransaction({ ...tx, gasLimit: estimate })).wait();
      assertEstimate(estimate, receipt.gasUsed, 'a transfer with data');
    },

    'ten transactions without waiting are settled in order': async () => {
      const to = kit.party().address;
      const first = await wallet.getNonce('latest');
      const count = LONG ? 100 : 10;
      const hashes = [];
      for (let i = 0; i < count; i++) {
        const kind = i % 2 ? { type: 0, gasPrice: 2n * BASE_FEE } : { type: 2 };
        const { hash } = await send({ to, value: 1n, nonce: first + i, ...kind });
        hashes.push(hash);
        // Counted at once, settled or not.
        assertEqual(await wallet.getNonce('pending'), first + i + 1, 'pending nonce');
      }
      const receipts = await Promise.all(hashes.map((hash) => kit.mined(hash)));
      receipts.reduce((before, next) => {
        const later = next.blockNumber > before.blockNumber;
        assert(later || (next.blockNumber === before.blockNumber && next.index > before.index), 'in the order of their nonces');
        return next;
      });
      assertEqual(await wallet.getNonce('latest'), first + count, 'nonce');
    },

    'a pending transaction has no block yet': async () => {
      const { hash } = await send({ to: kit.party().address, value: 1n });
      const seen = await rpc('eth_getTransactionByHash', [hash]);
      assertEqual(seen.hash, hash, 'hash');
      assertEqual(seen.blockHash === null, seen.blockNumber === null, 'block hash and number are both there or not');
      await kit.mined(hash);
      assertEqual(typeof (await rpc('eth_getTransactionByHash', [hash])).blockNumber, 'string', 'block number');
    },

    'state of the past': async () => {
      const to = kit.party().address;
      const receipt = await (await wallet.sendTransaction({ to, value: 5n })).wait();
      const [then, after] = [await kit.balance(to, receipt.blockNumber - 1), await kit.balance(to, receipt.blockNumber)];
      assertEqual(after - then, 5n, 'balance, before and after');
      const nonces = [await wallet.getNonce(receipt.blockNumber - 1), await wallet.getNonce(receipt.blockNumber)];
      assertEqual(nonces[1] - nonces[0], 1, 'nonce, before and after');
      const byHash = await rpc('eth_getBalance', [to, { blockHash: receipt.blockHash }]);
      assertEqual(BigInt(byHash), after, 'balance by block hash (EIP-1898)');
    },

    'block tags': async () => {
      const [safe, latest, pending, earliest] = await Promise.all(
        ['safe', 'latest', 'pending', 'earliest'].map((tag) => rpc('eth_getBlockByNumber', [tag, false])),
      );
      const height = (block) => Number(block.number);
      assertEqual(height(earliest), 0, 'earliest');
      if (IS_VIGIL) assert(height(latest) - height(safe) <= 1, `safe ${height(safe)} is latest ${height(latest)}`);
      assert(height(pending) + 1 >= height(latest), `pending ${height(pending)}, latest ${height(latest)}`);
      // Final by guardians, of whom this chain may have none.
      const { result, error } = await chain.answer('eth_getBlockByNumber', ['finalized', false]);
      if (error) assertEqual(error.message, 'finalized block not found', 'finalized');
      else assert(result === null || height(result) <= height(latest), `finalized: ${JSON.stringify(result)}`);
    },

    'one batch of unlike requests is answered in its order': async () => {
      const requests = [
        ['eth_chainId', []],
        ['no_such_method', []],
        ['eth_getBalance', [wallet.address, 'latest']],
        ['eth_getBalance', ['0x12', 'latest']],
        ['eth_blockNumber', []],
      ].map(([method, params], i) => ({ jsonrpc: '2.0', id: `id-${i}`, method, params }));
      const { json } = await chain.post(requests);
      assertEqual(json.map((answer) => answer.id).join(), requests.map((request) => request.id).join(), 'ids');
      assertEqual(json[0].result, '0x16e', 'chain id');
      assertEqual(json[1].error.code, -32601, 'unknown method');
      assert(BigInt(json[2].result) > 0n, 'a balance');
      assertEqual(json[3].error.code, -32602, 'a bad address');
      assert(Number(json[4].result) > 0, 'a height');
    },

    'fee history': async () => {
      const { oldestBlock, baseFeePerGas, gasUsedRatio, reward } = await rpc('eth_feeHistory', ['0x3', 'latest', [10, 50]]);
      assertEqual(baseFeePerGas.length, 4, 'base fees: one more than blocks');
      assertEqual(gasUsedRatio.length, 3, 'ratios');
      assertEqual(reward.length, 3, 'rewards');
      assert(reward.every((row) => row.length === 2), 'percentiles');
      assert(gasUsedRatio.every((ratio) => ratio >= 0 && ratio <= 1), `ratios ${gasUsedRatio}`);
      assert((await chain.height()) >= Number(oldestBlock) + 2, `oldest block ${oldestBlock}`);
      if (IS_VIGIL) assert(baseFeePerGas.every((fee) => BigInt(fee) === BASE_FEE), `base fees ${baseFeePerGas}`);
    },

    'web3_sha3, and no keys kept for clients': async () => {
      const data = `0x${Buffer.from('vigil').toString('hex')}`;
      assertEqual(await rpc('web3_sha3', [data]), keccak256(data), 'web3_sha3');
      if (IS_VIGIL) assertEqual((await rpc('eth_accounts')).length, 0, 'accounts');
    },

    'the end': async () => {
      await until('nothing of ours is pending', async () => (await wallet.getNonce('latest')) === (await wallet.getNonce('pending')));
      provider.destroy();
    },
  };
}
