// ethers v6: ERC-20 and ERC-721, events by getLogs and live, revert reasons, failed transactions.
import { Contract, ContractFactory, WebSocketProvider, getBytes, getCreateAddress, id, keccak256, zeroPadValue } from 'ethers';
import { assert, assertEqual, until } from '../lib.mjs';
import { COIN, IS_VIGIL, LONG, assertEstimate } from './chain.mjs';
import { contracts } from './compile.mjs';
import { Kit, assertEvents, assertRefused, events, mine, mineAll } from './kit.mjs';

const SUPPLY = 1_000_000n * COIN;
const TRANSFER = id('Transfer(address,address,uint256)');

// Whether the 2048-bit bloom may hold these bytes (yellow paper, 4.3.1).
function bloomHas(bloom, data) {
  const bits = BigInt(bloom);
  const hash = getBytes(keccak256(data));
  return [0, 2, 4].every((i) => (bits >> (((BigInt(hash[i]) << 8n) | BigInt(hash[i + 1])) & 2047n)) & 1n);
}

export default function (chain) {
  const kit = new Kit(chain, 'contracts');
  const { provider, wallet } = kit;
  let token;
  let probe;
  let ann;
  let ben;

  // Sends notes 0, 1, 2.. one block each until `seen` holds `count` of them; they must be a run without gap or repetition.
  async function noteUntilSeen(seen, count) {
    for (let i = 0; seen.length < count; i++) {
      assert(i < 50, `an event after ${i} notes`);
      await mine(probe.note, BigInt(i), `note ${i}`);
    }
    seen.forEach((number, i) => assertEqual(number, seen[0] + i, `events ${seen}`));
  }

  return {
    'deploy at the address that the nonce gives': async () => {
      const factory = new ContractFactory(contracts.PlainToken.abi, contracts.PlainToken.bytecode, wallet);
      const args = ['Stream Coin', 'STRM', SUPPLY];
      const estimate = await provider.estimateGas({ from: wallet.address, ...(await factory.getDeployTransaction(...args)) });
      const expected = getCreateAddress({ from: wallet.address, nonce: await wallet.getNonce() });
      token = await factory.deploy(...args);
      const receipt = await token.deploymentTransaction().wait();
      assertEqual(receipt.contractAddress, expected, 'contract address');
      assertEqual(receipt.to, null, 'to');
      assertEstimate(estimate, receipt.gasUsed, 'a deployment');
      assert((await provider.getCode(expected)).length > 2000, 'code');
      assertEqual(await provider.getCode(expected, receipt.blockNumber - 1), '0x', 'code before');
      assertEvents(token, receipt, [['Transfer', `0x${'0'.repeat(40)}`, wallet.address, SUPPLY]]);
      probe = await kit.deploy('Probe');
      [ann, ben] = await kit.parties(2);
    },

    'read an ERC-20': async () => {
      const answers = await Promise.all([token.name(), token.symbol(), token.decimals(), token.totalSupply(), token.balanceOf(wallet)]);
      assertEqual(answers.join(), `Stream Coin,STRM,18,${SUPPLY},${SUPPLY}`, 'fields');
      // Solidity keeps a short text in its slot: the bytes, then twice the length in the last one.
      const slot = await provider.getStorage(token, 0);
      assertEqual(slot, `0x${Buffer.from('Stream Coin').toString('hex').padEnd(62, '0')}16`, 'slot 0');
    },

    'move an ERC-20, by its owner and by an allowance': async () => {
      const estimate = await token.transfer.estimateGas(ann, 10n * COIN);
      const moved = await mine(token.transfer, ann, 10n * COIN);
      assertEstimate(estimate, moved.gasUsed, 'an ERC-20 transfer');
      assertEvents(token, moved, [['Transfer', wallet.address, ann.address, 10n * COIN]]);
      await mine(token.connect(ann).approve, ben, 4n * COIN);
      assertEqual(await token.allowance(ann, ben), 4n * COIN, 'allowance');
      await mine(token.connect(ben).transferFrom, ann, ben, 3n * COIN);
      const balances = await Promise.all([token.balanceOf(ann), token.balanceOf(ben), token.allowance(ann, ben)]);
      assertEqual(balances.join(), [7n * COIN, 3n * COIN, COIN].join(), 'balances and what is left to spend');
      const spend = token.connect(ben).transferFrom;
      await assertRefused(spend, [ann, ben, 2n * COIN], 'InsufficientAllowance', [ben.address, COIN, 2n * COIN]);
      await assertRefused(token.connect(ben).transfer, [ann, 5n * COIN], 'InsufficientBalance', [ben.address, 3n * COIN, 5n * COIN]);
    },

    'getLogs by address, topic, range and block': async () => {
      const all = await token.queryFilter('Transfer', 0);
      assertEqual(all.length, 3, 'transfers');
      const [toBen] = await token.queryFilter(token.filters.Transfer(null, ben), 0);
      assertEqual(toBen.args.value, 3n * COIN, 'the one to ben');
      const either = [TRANSFER, null, [zeroPadValue(ann.address, 32), zeroPadValue(ben.address, 32)]];
      assertEqual((await provider.getLogs({ address: token.target, fromBlock: 0, topics: either })).length, 2, 'to ann or ben');
      const anything = { address: token.target, topics: [null, zeroPadValue(ann.address, 32)], fromBlock: 0 };
      assertEqual((await provider.getLogs(anything)).length, 2, 'any event whose first argument is ann');
      assertEqual((await token.queryFilter('Transfer', 0, toBen.blockNumber - 1)).length, 2, 'before it');
      assertEqual((await token.queryFilter('Transfer', toBen.blockNumber)).length, 1, 'from it on');
      const inBlock = await provider.getLogs({ address: token.target, blockHash: toBen.blockHash });
      assertEqual(inBlock.length, 1, 'in its block');
      assertEqual(inBlock[0].transactionHash, toBen.transactionHash, 'transaction hash');

      const receipt = await toBen.getTransactionReceipt();
      assertEqual(JSON.stringify(receipt.logs.map((log) => log.index)), JSON.stringify([toBen.index]), 'log index');
      const block = await chain.rpc('eth_getBlockByHash', [toBen.blockHash, false]);
      for (const bloom of [receipt.logsBloom, block.logsBloom]) {
        for (const data of [token.target, ...toBen.topics]) assert(bloomHas(bloom, data), `the bloom has ${data}`);
      }
      assert(!bloomHas(receipt.logsBloom, wallet.address), 'the bloom has nothing else');
    },

    'live events over HTTP polling': async () => {
      const [seen, blocks] = [[], []];
      const onBlock = (number) => blocks.push(number);
      await provider.on('block', onBlock);
      await probe.on('Noted', (who, number, text, { log }) => {
        assertEqual(text, `note ${number}`, 'text');
        assertEqual(log.address, probe.target, 'address');
        seen.push(Number(number));
      });
      await noteUntilSeen(seen, 3);
      await probe.off('Noted');
      await provider.off('block', onBlock);
      blocks.forEach((number, i) => assertEqual(number, blocks[0] + i, `blocks ${blocks}`));
      assert(blocks.length >= 3, `blocks ${blocks}`);
    },

    'live events over WebSocket': async () => {
      const socket = new WebSocketProvider(chain.ws);
      const [seen, blocks] = [[], []];
      await socket.on('block', (number) => blocks.push(number));
      const live = new Contract(probe.target, contracts.Probe.abi, socket);
      await live.on(live.filters.Noted(wallet.address), (event) => seen.push(Number(event.args.number)));
      await noteUntilSeen(seen, 3);
      assertEqual((await socket.getNetwork()).chainId, (await provider.getNetwork()).chainId, 'chain id over WebSocket');
      await until('three heads', () => blocks.length >= 3);
      blocks.forEach((number, i) => assertEqual(number, blocks[0] + i, `heads ${blocks}`));
      await socket.destroy();
    },

    'reasons of a refused call and estimate': async () => {
      const attempts = (method, ...args) => [method.staticCall(...args), method.estimateGas(...args)];
      const refusals = async (method, ...args) => Promise.all(attempts(method, ...args).map((attempt) => attempt.then(() => assert(false, `${method.name} must be refused`), (error) => error)));
      for (const error of await refusals(probe.failWithText)) {
        assertEqual(error.code, 'CALL_EXCEPTION', 'code');
        assertEqual(error.reason, 'the stream is over', 'reason');
      }
      await assertRefused(probe.failWithError, [42n], 'Refused', [wallet.address, 42n]);
      for (const error of await refusals(probe.failWithoutReason)) assertEqual(error.data ?? '0x', '0x', 'data');
      // Panic codes of the Solidity documentation.
      for (const [code, method, ...args] of [
        [0x01n, probe.failByAssert],
        [0x12n, probe.failByDivision, 0n],
        [0x32n, probe.failByIndex],
      ]) {
        for (const error of await refusals(method, ...args)) {
          const panic = probe.interface.parseError(error.data);
          assertEqual(`${panic?.name} ${panic?.args[0]}`, `Panic ${code}`, error.message);
        }
      }
    },

    'a refused call says code 3 with the revert data': async () => {
      const call = (name, ...args) => [{ from: wallet.address, to: probe.target, data: probe.interface.encodeFunctionData(name, args) }, 'latest'];
      for (const method of ['eth_call', 'eth_estimateGas']) {
        const text = await chain.refused(method, call('failWithText'), { code: 3, message: /^execution reverted: the stream is over$/ });
        assertEqual(text.data, probe.interface.encodeErrorResult('Error', ['the stream is over']), 'data');
        const custom = await chain.refused(method, call('failWithError', 7), { code: 3, message: /^execution reverted$/ });
        assertEqual([text.code, custom.code].join(), '3,3', 'codes');
        assertEqual(custom.data, probe.interface.encodeErrorResult('Refused', [wallet.address, 7]), 'data');
      }
    },

    'a transaction that fails is in a block and says so': async () => {
      const data = probe.interface.encodeFunctionData('failWithText');
      const before = { balance: await kit.balance(wallet.address), nonce: await wallet.getNonce() };
      // With its gas given nobody estimates, which would refuse it.
      const tx = await wallet.sendTransaction({ to: probe.target, data, gasLimit: 100_000n });
      const error = await tx.wait().then(() => assert(false, 'wait() must throw'), (reason) => reason);
      assertEqual(error.code, 'CALL_EXCEPTION', `code (${error.message})`);
      const receipt = error.receipt;
      assertEqual(receipt.status, 0, 'status');
      assertEqual(receipt.logs.length, 0, 'logs');
      assert(receipt.gasUsed > 21_000n && receipt.gasUsed < 30_000n, `a revert gives back its gas: used ${receipt.gasUsed}`);
      assertEqual(before.balance - (await kit.balance(wallet.address)), kit.fee(receipt), 'it pays for its gas alone');
      assertEqual(await wallet.getNonce(), before.nonce + 1, 'nonce');
      // An invalid opcode takes all.
      const burned = await wallet.sendTransaction({ to: probe.target, data: probe.interface.encodeFunctionData('invalid'), gasLimit: 50_000n });
      const { receipt: all } = await burned.wait().catch((reason) => reason);
      assertEqual([all.status, all.gasUsed].join(), '0,50000', 'status and gas of an invalid opcode');
    },

    'traces of transactions and of calls': async () => {
      const receipt = await mine(probe.note, 9n, 'traced');
      const traced = await chain.rpc('debug_traceTransaction', [receipt.hash, { tracer: 'callTracer' }]);
      const data = probe.interface.encodeFunctionData('note', [9n, 'traced']);
      assertEqual([traced.type, traced.input].join(), ['CALL', data].join(), 'the call');
      if (IS_VIGIL) assertEqual(BigInt(traced.gasUsed), receipt.gasUsed, 'gas of the call');
      assertEqual(traced.to, probe.target.toLowerCase(), 'to');
      const logs = await chain.rpc('debug_traceTransaction', [receipt.hash, {}]);
      assertEqual(logs.failed, false, 'struct logs: failed');
      if (IS_VIGIL) assertEqual(BigInt(logs.gas), receipt.gasUsed, 'struct logs: gas');
      assertEqual([logs.structLogs[0].pc, logs.structLogs.at(-1).op].join(), '0,STOP', 'first and last step');
      const message = (name, ...args) => ({ from: wallet.address, to: probe.target, data: probe.interface.encodeFunctionData(name, args), gas: '0x30d40' });
      const refused = await chain.rpc('debug_traceCall', [message('failWithText'), 'latest', { tracer: 'callTracer' }]);
      assertEqual([refused.error, refused.revertReason].join(), 'execution reverted,the stream is over', 'of a refusal');
      const nested = await chain.rpc('debug_traceCall', [message('recurse', 0n), 'latest', { tracer: 'callTracer' }]);
      let depth = 0;
      for (let call = nested; call.calls; [call] = call.calls) depth += 1;
      assert(depth >= 3, `calls within calls: ${depth}`);
    },

    'sums of gas and logs over a block': async () => {
      const count = LONG ? 50 : 5;
      const receipts = await mineAll(Array.from({ length: count }, (_, i) => [probe.note, BigInt(i), `note ${i}`, { gasLimit: 100_000n }]));
      for (const number of new Set(receipts.map((receipt) => receipt.blockNumber))) {
        const block = await chain.rpc('eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
        const all = await chain.rpc('eth_getBlockReceipts', [block.hash]);
        assertEqual(all.map((receipt) => receipt.transactionHash).join(), block.transactions.join(), 'receipts in order');
        assertEqual(BigInt(block.gasUsed), all.reduce((sum, receipt) => sum + BigInt(receipt.gasUsed), 0n), 'gas of the block');
        const logs = all.flatMap((receipt) => receipt.logs.map((log) => Number(log.logIndex)));
        logs.forEach((index, i) => assertEqual(index, i, `log indices ${logs}`));
        const found = await chain.rpc('eth_getLogs', [{ blockHash: block.hash }]);
        assertEqual(found.length, logs.length, 'logs of the block');
      }
      receipts.forEach((receipt, i) => assertEvents(probe, receipt, [['Noted', wallet.address, i, `note ${i}`]]));
    },

    'an ERC-721 moves as the standard says': async () => {
      const gift = await kit.deploy('VirtualGift');
      await mine(gift.offer, COIN, 2, 'ipfs://rose');
      const bought = await mine(gift.connect(ann).buy, 0n, ann, 'for you', { value: COIN });
      assertEqual(events(gift, bought)[0].join(), ['Transfer', `0x${'0'.repeat(40)}`, ann.address, 1].join(), 'mint');
      const safe = gift.connect(ann)['safeTransferFrom(address,address,uint256)'];
      const moved = await mine(safe, ann, ben, 1n);
      assertEvents(gift, moved, [['Transfer', ann.address, ben.address, 1]]);
      assertEqual(moved.logs[0].topics.length, 4, 'the token id is indexed');
      assertEqual(await gift.ownerOf(1n), ben.address, 'owner');
      const [byTopic] = await provider.getLogs({ address: gift.target, fromBlock: 0, topics: [TRANSFER, null, null, zeroPadValue('0x01', 32)] });
      assertEqual(byTopic.transactionHash, bought.hash, 'getLogs by the third argument');
      provider.destroy();
    },
  };
}
