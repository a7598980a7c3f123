// viem: the same chain through another client, over HTTP, HTTP batches and WebSocket.
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  http,
  keccak256,
  parseEventLogs,
  webSocket,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { assert, assertEqual, until } from '../lib.mjs';
import { BASE_FEE, CHAIN_ID, COIN, IS_VIGIL, KEYS, assertEstimate, assertMatch } from './chain.mjs';
import { contracts } from './compile.mjs';

const POLL_MS = 100;
const WAIT_MS = 60_000; // ends a test that hangs
const SUPPLY = 1000n * COIN;
const RECIPIENT = '0x00000000000000000000000000000000c0ffee01';

export default function (endpoint) {
  const chain = defineChain({
    id: CHAIN_ID,
    name: 'vigil',
    nativeCurrency: { name: 'coin', symbol: 'COIN', decimals: 18 },
    rpcUrls: { default: { http: [endpoint.http], webSocket: [endpoint.ws] } },
  });
  const account = privateKeyToAccount(KEYS.viem);
  const options = { chain, pollingInterval: POLL_MS, cacheTime: 0 };
  const client = createPublicClient({ ...options, transport: http() });
  const withoutFilters = createPublicClient({ ...options, transport: http(undefined, { methods: { exclude: ['eth_newFilter'] } }) });
  const batching = createPublicClient({ ...options, transport: http(undefined, { batch: true }) });
  const socket = createPublicClient({ ...options, transport: webSocket() });
  const wallet = createWalletClient({ ...options, account, transport: http() });
  const token = { abi: contracts.PlainToken.abi };
  const probe = { abi: contracts.Probe.abi };
  const mined = (hash) => client.waitForTransactionReceipt({ hash, timeout: WAIT_MS });
  const write = async (contract, functionName, args) => mined(await wallet.writeContract({ ...contract, functionName, args }));

  // Watches and sends notes until three events are seen, which must be a run of them.
  let notes = 0;
  async function notesSeen(client, more = {}) {
    const seen = [];
    const onLogs = (logs) => seen.push(...logs.map((log) => Number(log.args.number)));
    const unwatch = client.watchContractEvent({ ...probe, eventName: 'Noted', onLogs, ...more });
    const last = notes + 50;
    while (seen.length < 3) {
      assert(notes < last, 'three events after 50 notes');
      await write(probe, 'note', [BigInt(notes++), 'viem']);
    }
    unwatch();
    seen.forEach((number, i) => assertEqual(number, seen[0] + i, `events ${seen}`));
  }

  async function blocksSeen(client, options) {
    const seen = [];
    const failures = [];
    const unwatch = client.watchBlocks({ ...options, onBlock: (block) => seen.push(block), onError: (error) => failures.push(error) });
    await until('three blocks', () => seen.length >= 3 || failures.length > 0);
    unwatch();
    assertEqual(failures.map(String).join(), '', 'failures');
    return seen;
  }

  return {
    'chain id, height, balance and fees, over HTTP, batches and WebSocket': async () => {
      const chainHeight = await endpoint.height();
      for (const each of [client, batching, socket]) {
        const [id, height, balance, gasPrice, fees] = await Promise.all([
          each.getChainId(),
          each.getBlockNumber(),
          each.getBalance({ address: account.address }),
          each.getGasPrice(),
          each.estimateFeesPerGas(),
        ]);
        assertEqual(id, CHAIN_ID, 'chain id');
        assert(height >= BigInt(chainHeight), `height ${height}`);
        assert(balance > COIN, `balance ${balance}`);
        const base = (await each.getBlock()).baseFeePerGas;
        if (IS_VIGIL) assertEqual(base, BASE_FEE, 'base fee');
        assert(gasPrice > 0n && fees.maxFeePerGas >= base, `fees ${gasPrice}, ${fees.maxFeePerGas}`);
      }
    },

    'send by default, which is type 2, and as legacy and 2930': async () => {
      const kinds = [{}, { type: 'legacy' }, { type: 'eip2930', accessList: [{ address: RECIPIENT, storageKeys: [] }] }];
      const before = await client.getBalance({ address: RECIPIENT });
      const hashes = [];
      for (const kind of kinds) {
        const request = await wallet.prepareTransactionRequest({ to: RECIPIENT, value: 7n, ...kind });
        const serialized = await wallet.signTransaction(request);
        const hash = await wallet.sendRawTransaction({ serializedTransaction: serialized });
        assertEqual(hash, keccak256(serialized), 'hash');
        hashes.push(hash);
      }
      const receipts = await Promise.all(hashes.map(mined));
      assertEqual(receipts.map((receipt) => receipt.type).join(), 'eip1559,legacy,eip2930', 'types');
      assertEqual(receipts.map((receipt) => receipt.gasUsed).join(), '21000,21000,23400', 'gas');
      assert(receipts.every((receipt) => receipt.status === 'success'), 'status');
      const seen = await client.getTransaction({ hash: hashes[2] });
      assertEqual(seen.accessList[0].address.toLowerCase(), RECIPIENT, 'access list');
      assertEqual((await client.getBalance({ address: RECIPIENT })) - before, 21n, 'what was received');
    },

    'deploy, read and write an ERC-20': async () => {
      const deployment = { abi: token.abi, bytecode: contracts.PlainToken.bytecode, args: ['Viem Coin', 'VIEM', SUPPLY] };
      const nonce = await client.getTransactionCount({ address: account.address, blockTag: 'pending' });
      const estimate = await client.estimateGas({ account, data: encodeDeployData(deployment) });
      const receipt = await mined(await wallet.deployContract(deployment));
      const expected = getContractAddress({ from: account.address, nonce: BigInt(nonce) });
      assertEqual(receipt.contractAddress?.toLowerCase(), expected.toLowerCase(), 'contract address');
      assertEstimate(estimate, receipt.gasUsed, 'a deployment');
      token.address = receipt.contractAddress;
      const call = { ...token, account, functionName: 'transfer', args: [RECIPIENT, COIN] };
      const gas = await client.estimateContractGas(call);
      const { result, request } = await client.simulateContract(call);
      assertEqual(result, true, 'simulated');
      const moved = await mined(await wallet.writeContract(request));
      assertEstimate(gas, moved.gasUsed, 'an ERC-20 transfer');
      const [event] = parseEventLogs({ abi: token.abi, logs: moved.logs });
      assertEqual([event.eventName, event.args.to.toLowerCase(), event.args.value].join(), ['Transfer', RECIPIENT, COIN].join(), 'event');
      const [mine, theirs] = await Promise.all(
        [account.address, RECIPIENT].map((owner) => batching.readContract({ ...token, functionName: 'balanceOf', args: [owner] })),
      );
      assertEqual([mine, theirs].join(), [SUPPLY - COIN, COIN].join(), 'balances');
      const logs = await client.getContractEvents({ ...token, eventName: 'Transfer', args: { to: RECIPIENT }, fromBlock: 0n });
      assertEqual(logs.length, 1, 'getLogs');
      assertEqual(logs[0].transactionHash, moved.transactionHash, 'transaction hash');
    },

    'reasons of a refusal are decoded': async () => {
      probe.address = (await mined(await wallet.deployContract({ ...probe, bytecode: contracts.Probe.bytecode }))).contractAddress;
      const reverted = async (functionName, args = []) => {
        const call = { ...probe, account, functionName, args };
        const attempts = await Promise.allSettled([client.simulateContract(call), client.estimateContractGas(call)]);
        const [called, estimated] = attempts.map(({ reason }) => {
          const found = reason instanceof BaseError && reason.walk((cause) => cause instanceof ContractFunctionRevertedError);
          assert(found, `${functionName} must be refused with its reason: ${reason?.stack}`);
          return found;
        });
        assertEqual(called.raw, estimated.raw, 'revert data of call and estimate');
        return called;
      };
      assertEqual((await reverted('failWithText')).reason, 'the stream is over', 'text');
      const custom = await reverted('failWithError', [9n]);
      assertEqual(`${custom.data.errorName} ${custom.data.args.join()}`, `Refused ${account.address},9`, 'custom error');
      const panic = await reverted('failByDivision', [0n]);
      assertEqual(`${panic.data.errorName} ${panic.data.args.join()}`, 'Panic 18', 'panic');
      const short = await client
        .simulateContract({ ...token, account: RECIPIENT, functionName: 'transfer', args: [account.address, 2n * COIN] })
        .catch((error) => error.walk((cause) => cause instanceof ContractFunctionRevertedError));
      assertEqual(short.data.errorName, 'InsufficientBalance', 'of the token');
    },

    'watch events over HTTP, by filter and by getLogs': async () => {
      await notesSeen(client);
      await notesSeen(client, { args: { who: account.address } });
      await notesSeen(withoutFilters);
    },

    'watch events over WebSocket': async () => {
      await notesSeen(socket);
    },

    'watch blocks over HTTP and WebSocket': async () => {
      for (const [each, more] of [[client, { emitMissed: true }], [socket, {}]]) {
        const blocks = await blocksSeen(each, more);
        blocks.slice(1).forEach((block, i) => {
          assertEqual(block.number, blocks[i].number + 1n, 'numbers');
          assertEqual(block.parentHash, blocks[i].hash, 'parents');
        });
      }
    },

    'filters: of blocks, events and pending transactions': async () => {
      const blocks = await client.createBlockFilter();
      const notes = await client.createContractEventFilter({ ...probe, eventName: 'Noted' });
      const pending = await client.createPendingTransactionFilter();
      const receipt = await write(probe, 'note', [77n, 'filtered']);
      const hashes = await client.getFilterChanges({ filter: blocks });
      assert(hashes.includes(receipt.blockHash), 'the block');
      const [note] = await client.getFilterChanges({ filter: notes });
      assertEqual(`${note.args.number} ${note.args.text}`, '77 filtered', 'the event');
      assertEqual((await client.getFilterChanges({ filter: notes })).length, 0, 'a change is told once');
      assertEqual((await client.getFilterLogs({ filter: notes })).some((log) => log.transactionHash === receipt.transactionHash), true, 'all of its logs');
      assert((await client.getFilterChanges({ filter: pending })).includes(receipt.transactionHash), 'the pending transaction');
      assertEqual(await client.uninstallFilter({ filter: notes }), true, 'uninstalled');
      assertEqual(await client.uninstallFilter({ filter: notes }), false, 'uninstalled twice');
    },

    'an access list, and overrides in a call': async () => {
      const data = encodeFunctionData({ abi: token.abi, functionName: 'transfer', args: [RECIPIENT, 1n] });
      const { accessList, gasUsed } = await client.createAccessList({ account, to: token.address, data });
      const listed = accessList.find((entry) => entry.address.toLowerCase() === token.address.toLowerCase());
      assertEqual(listed?.storageKeys.length, 2, 'two balances');
      assert(gasUsed > 21_000n, `gas ${gasUsed}`);
      const poor = '0x00000000000000000000000000000000c0ffee02';
      const stateOverride = [{ address: poor, balance: 5n * COIN }];
      const sending = { account: poor, to: RECIPIENT, value: 4n * COIN };
      assertEqual((await client.call({ ...sending, stateOverride })).data, undefined, 'with coins given');
      const error = await client.call(sending).catch((reason) => reason);
      assertMatch(String(error.details ?? error.message), /insufficient funds|exceeds the balance/i, 'without');
    },

    'the end': async () => {
      (await socket.transport.getRpcClient()).close();
    },
  };
}
