// Bad transactions and bad calls over raw JSON-RPC: the codes and words that tools recognise, and nothing lost by them.
import { Interface, SigningKey, Transaction, concat, encodeRlp, keccak256, toBeHex } from 'ethers';
import { assert, assertEqual } from '../lib.mjs';
import { BASE_FEE, BLOCK_GAS_MAX, CHAIN_ID, COIN, IS_VIGIL, LONG, TX_GAS_MAX } from './chain.mjs';
import { contracts } from './compile.mjs';
import { Kit } from './kit.mjs';

const INIT_CODE_MAX = 49_152; // EIP-3860
const CODE_MAX = 24_576; // EIP-170
const NONCE_MAX = 2n ** 64n - 1n; // EIP-2681
const TO = '0x00000000000000000000000000000000c0ffee04';
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; // of secp256k1
const TOO_MUCH_GAS = /exceeds (block|maximum per-transaction) gas limit/;

export default function (chain) {
  const kit = new Kit(chain, 'badinput');
  const { wallet } = kit;
  const abi = new Interface(contracts.Probe.abi);
  let probe;
  let nonce;

  // By hand, as ethers would refuse some of these itself.
  function sign(fields, signer = wallet) {
    const tx = { type: 2, chainId: CHAIN_ID, nonce, price: 2n * BASE_FEE, tip: 0n, gas: 21_000n, to: TO, value: 0n, data: '0x', ...fields };
    const number = (value) => (BigInt(value) === 0n ? '0x' : toBeHex(value));
    const body = [number(tx.gas), tx.to ?? '0x', number(tx.value), tx.data];
    const [id, count, tip, price] = [tx.chainId, tx.nonce, tx.tip, tx.price].map(number);
    const head = [[count, price], [id, count, price], [id, count, tip, price]][tx.type];
    const replayable = tx.type === 0 && tx.chainId === 0;
    const tail = tx.type > 0 ? [[]] : replayable ? [] : [id, '0x', '0x'];
    const bytes = (items) => concat([['0x', '0x01', '0x02'][tx.type], encodeRlp(items)]);
    const { r, s, yParity } = new SigningKey(signer.privateKey).sign(keccak256(bytes([...head, ...body, ...tail])));
    const v = tx.type > 0 ? yParity : (replayable ? 27 : 35 + 2 * tx.chainId) + yParity;
    return bytes([...head, ...body, ...(tx.type > 0 ? [[]] : []), number(v), number(r), number(tx.highS ? ORDER - BigInt(s) : s)]);
  }
  const refused = (fields, message, signer) => chain.refused('eth_sendRawTransaction', [sign(fields, signer)], { message });
  const call = (name, args = [], more = {}) => [{ from: wallet.address, to: probe.target, data: abi.encodeFunctionData(name, args), ...more }, 'latest'];
  const create = (data, more = {}) => [{ from: wallet.address, data, ...more }, 'latest'];
  const result = async (name, args, more) => abi.decodeFunctionResult(name, await chain.rpc('eth_call', call(name, args, more)));

  return {
    'a transaction for another chain': async () => {
      probe = await kit.deploy('Probe');
      nonce = await wallet.getNonce();
      const message = /^invalid chain id for signer: have 1 want 366$/;
      for (const type of [1, 2]) await refused({ chainId: 1, type }, message);
      if (!IS_VIGIL) return;
      await refused({ chainId: 1, type: 0 }, message);
      await refused({ chainId: 0, type: 0 }, /only replay-protected \(EIP-155\) transactions allowed over RPC/);
    },

    'a nonce that is used, skipped or at its end': async () => {
      await refused({ nonce: nonce - 1 }, /nonce too low/);
      if (IS_VIGIL) {
        // The pool takes only what comes next.
        await refused({ nonce: nonce + 100_000 }, /nonce/);
        await refused({ nonce: NONCE_MAX }, /nonce/);
      }
      assertEqual(await wallet.getNonce('pending'), nonce, 'pending nonce');
    },

    'a price below the base fee': async () => {
      const message = /underpriced|less than block base fee/;
      const latest = BigInt((await chain.rpc('eth_getBlockByNumber', ['latest', false])).baseFeePerGas);
      const low = IS_VIGIL ? BASE_FEE - 1n : latest / 2n;
      await refused({ price: low }, message);
      await refused({ type: 0, price: low }, message);
      await refused({ type: 1, price: 0n }, message);
    },

    'a tip above the whole price': async () => {
      await refused({ tip: 2n * BASE_FEE + 1n }, /max priority fee per gas higher than max fee per gas/);
    },

    'too much gas and too little': async () => {
      await refused({ gas: BLOCK_GAS_MAX + 1n }, TOO_MUCH_GAS);
      await refused({ gas: NONCE_MAX }, TOO_MUCH_GAS);
      if (IS_VIGIL) await refused({ gas: TX_GAS_MAX + 1n }, TOO_MUCH_GAS);
      await refused({ gas: 20_999n }, /intrinsic gas too low/);
      if (IS_VIGIL) await refused({ gas: 52_999n, to: null, data: '0x00' }, /intrinsic gas too low/);
    },

    'coins that are not there': async () => {
      const poor = kit.party();
      const message = /insufficient funds for gas \* price \+ value/;
      await refused({ value: 10n ** 60n }, message);
      await refused({ nonce: 0 }, message, poor);
      await refused({ type: 0, value: await kit.balance(wallet.address) }, message);
    },

    'broken bytes': async () => {
      const good = sign({ value: 1n });
      const bad = [good.slice(0, -2), '0x', '0x02', '0x00', '0xc0', `0x7f${good.slice(4)}`, `0x04${good.slice(4)}`];
      for (const raw of bad) await chain.refused('eth_sendRawTransaction', [raw]);
      if (IS_VIGIL) await chain.refused('eth_sendRawTransaction', [`${good}00`]);
      for (const raw of ['0xabc', 'zz', 7, null]) await chain.refused('eth_sendRawTransaction', [raw], { code: -32602 });
      // The same in another form of the signature would have another hash.
      for (const type of [0, 1, 2]) {
        assertEqual(Transaction.from(sign({ type })).from, wallet.address, `sender of what we sign as type ${type}`);
        await refused({ type, highS: true }, /invalid sender|invalid transaction v, r, s values/);
      }
    },

    'what is sent twice is known': async () => {
      const raw = sign({ value: 1n });
      const hash = await chain.rpc('eth_sendRawTransaction', [raw]);
      const again = await chain.answer('eth_sendRawTransaction', [raw]);
      assert(again.result === hash || /already (known|imported)|nonce too low/.test(again.error?.message), JSON.stringify(again));
      const receipt = await chain.receipt(hash);
      await chain.refused('eth_sendRawTransaction', [raw], { message: /nonce too low|already known/ });
      assertEqual((await chain.receipt(hash)).blockHash, receipt.blockHash, 'it is where it was');
      nonce += 1;
    },

    'creation code and code that are too long': async () => {
      const zeros = (bytes) => `0x${'00'.repeat(bytes)}`;
      await refused({ to: null, data: zeros(INIT_CODE_MAX + 1), gas: 5_000_000n }, /max initcode size exceeded/);
      await chain.refused('eth_estimateGas', create(zeros(INIT_CODE_MAX + 1)), { message: /max initcode size exceeded/ });
      assert(Number(await chain.rpc('eth_estimateGas', create(zeros(INIT_CODE_MAX)))) > 53_000, 'the longest');
      // PUSH3 length, PUSH0, RETURN: code of that many zero bytes.
      const code = (bytes) => `0x62${bytes.toString(16).padStart(6, '0')}5ff3`;
      assertEqual((await chain.rpc('eth_call', create(code(CODE_MAX)))).length, 2 + 2 * CODE_MAX, 'the longest code');
      await chain.refused('eth_call', create(code(CODE_MAX + 1)), { message: /max code size exceeded/ });
      // PUSH1 ef, PUSH0, MSTORE8, PUSH1 1, PUSH0, RETURN
      await chain.refused('eth_call', create('0x60ef5f5360015ff3'), { message: /must not begin with 0xef/ });
    },

    'faults of the machine': async () => {
      for (const [data, message] of [
        ['0xfe', /^invalid opcode: INVALID$/],
        ['0x0c', /^invalid opcode/],
        ['0x01', /^stack underflow/],
        ['0x600056', /^invalid jump destination$/],
      ]) {
        await chain.refused('eth_call', create(data), { message });
        await chain.refused('eth_estimateGas', create(data), { message });
      }
      // PUSH0, PUSH0, REVERT
      const { data } = await chain.refused('eth_call', create('0x5f5ffd'), { code: 3, message: /^execution reverted$/ });
      assertEqual(data, '0x', 'data');
    },

    'loops, memory bombs and deep recursion end': async () => {
      await chain.refused('eth_call', call('forever', [], { gas: '0x7a120' }), { message: /^out of gas/ });
      // 2^40 bytes: `new` may panic before the machine does.
      const bomb = await chain.answer('eth_call', call('memoryBomb'));
      assert(/out of gas|OutOfGas|gas uint64 overflow|execution reverted/.test(bomb.error?.message), JSON.stringify(bomb));
      // Without a limit of its own a call has the node's.
      const many = await Promise.all(Array.from({ length: LONG ? 100 : 4 }, () => chain.answer('eth_call', call('forever'))));
      for (const { error } of many) assert(/out of gas|OutOfGas|timeout|timed out|busy/.test(error?.message), JSON.stringify(error));
      const [depth] = await result('recurse', [0n], { gas: toBeHex(TX_GAS_MAX) });
      assert(depth > 100n && depth < 1024n, `depth ${depth}`);
    },

    'precompiles with malformed input fail alone': async () => {
      const garbage = `0x${'ff'.repeat(256)}`;
      const gas = 200_000n;
      // Point of BN254 off its curve, pairing of a wrong length, blake2f, KZG proof, point of BLS12-381.
      for (const [precompile, input] of [[6n, garbage], [7n, garbage], [8n, '0x00'], [8n, `0x${'ff'.repeat(192)}`], [9n, '0x01'], [10n, garbage]]) {
        const [done, output, used] = await result('callPrecompile', [precompile, input, gas]);
        assertEqual([done, output].join(), 'false,0x', `precompile ${precompile}`);
        assert(used >= gas, `precompile ${precompile} takes all its gas: ${used}`);
      }
      // A signature that is none recovers nothing, and is no fault.
      const [done, output] = await result('callPrecompile', [1n, garbage, gas]);
      assertEqual([done, output].join(), 'true,0x', 'ecrecover');
      // modexp with lengths of 2^256 - 1
      assertEqual((await result('callPrecompile', [5n, `0x${'ff'.repeat(96)}`, gas]))[0], false, 'modexp');
    },

    'a storm of contracts that end themselves': async () => {
      const count = LONG ? 250 : 100;
      const before = await kit.balance(wallet.address);
      const tx = await probe.connect(wallet).selfDestructStorm(count, { value: count, gasLimit: TX_GAS_MAX - 4_000_000n });
      const receipt = await tx.wait(1, 60_000);
      nonce += 1;
      assertEqual(receipt.status, 1, 'status');
      assertEqual(await kit.balance(probe.target), 0n, 'what is left in it');
      assertEqual(before - (await kit.balance(wallet.address)), kit.fee(receipt), 'all coins came back but the gas');
      assertEqual(await probe.number(), BigInt(count), 'contracts');
    },

    'nothing was lost': async () => {
      assertEqual(await wallet.getNonce('pending'), nonce, 'nonce');
      await chain.grows(2);
      const tx = await wallet.sendTransaction({ to: TO, value: COIN });
      assertEqual((await tx.wait(1, 60_000)).status, 1, 'status');
      kit.provider.destroy();
    },
  };
}
