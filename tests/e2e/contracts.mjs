// Contracts by the native side. The reference README's SquareCalculator with `vigil` in place of `thetacli`, under the rules it
// was written for and under today's; then the npm package @thetalabs/theta-js, unmodified.
import thetajs from '@thetalabs/theta-js';
import { DEV_ADDRESS, DEV_KEY, Localnet, RECIPIENT, assert, assertEqual, rpc, run, until, vigil } from './lib.mjs';

// From the README, as are all commands below. pragma solidity ^0.4.18.
const RUNTIME =
  '608060405260043610610057576000357c0100000000000000000000000000000000000000000000000000000000900463ffffffff1680633fa4f2451461005c578063b5a0241a14610087578063ed8b0706146100b2575b600080fd5b34801561006857600080fd5b506100716100df565b6040518082815260200191505060405180910390f35b34801561009357600080fd5b5061009c6100e5565b6040518082815260200191505060405180910390f35b3480156100be57600080fd5b506100dd60048036038101908080359060200190929190505050610112565b005b60005481565b6000806000546000540290506000546000548281151561010157fe5b0414151561010b57fe5b8091505090565b80600081905550505600a165627a7a72305820459c07c1668e919ca760d663b8df04e80634c53ebd49393dca83e81c58ae2a660029';
const DEPLOY = `608060405234801561001057600080fd5b50610148806100206000396000f300${RUNTIME}`;
const SET_3 = 'ed8b07060000000000000000000000000000000000000000000000000000000000000003';
const SQUARE = 'b5a0241a';
const NINE = '0000000000000000000000000000000000000000000000000000000000000009';
// CREATE of the sender's second transaction: its first is the README's send.
const CONTRACT = '0x5c3159ddd2fe0f9862bc7b7d60c1875fa8f81337';
// The README offers 10^9 wei, today a transaction must offer this; a dry run may offer anything.
const PRICE = '4000000000000wei';

// What the steps cost, from the opcodes and not from the node. Plain opcodes on their paths, memory included: 117 in the
// constructor, 249 in SetValue(3), 305 in CalculateSquare without its four SLOADs; they cost the same under both rules.
// Petersburg: 68 a nonzero byte of data; SSTORE of a fresh word 20000, SLOAD 200. Today: 16 a nonzero byte (EIP-2028), 2 a word
// of creation code (EIP-3860), a cold word 2100 more for SSTORE, 2100 in place of 100 for SLOAD (EIP-2929). So
// petersburg: 53000 + 299*68 + 61*4 + 117 + 328*200 = 139293, which the README prints; 21000 + 5*68 + 31*4 + 249 + 20000; ...
function gasOf({ nonzero, creationWord, freshWord, fourLoads }) {
  const data = (hex) => {
    const bytes = Buffer.from(hex, 'hex');
    return bytes.reduce((gas, byte) => gas + (byte === 0 ? 4 : nonzero), 0);
  };
  return {
    deploy: 53000 + data(DEPLOY) + creationWord * Math.ceil(DEPLOY.length / 64) + 117 + (RUNTIME.length / 2) * 200,
    set: 21000 + data(SET_3) + 249 + freshWord,
    square: 21000 + data(SQUARE) + 305 + fourLoads,
  };
}
const PETERSBURG = gasOf({ nonzero: 68, creationWord: 0, freshWord: 20000, fourLoads: 4 * 200 });
const TODAY = gasOf({ nonzero: 16, creationWord: 2, freshWord: 22100, fourLoads: 2100 + 3 * 100 });
assertEqual(PETERSBURG.deploy, 139293, 'the figure of the README');
assertEqual(JSON.stringify(TODAY), '{"deploy":123769,"set":43553,"square":23769}', "today's figures");

const from = `--from=${DEV_ADDRESS.slice(2)}`;

// The walk-through on a fresh network; `gas`: what its steps must cost.
function walkthrough(rules, net, gas) {
  const env = { VIGIL_HOME: net.home, VIGIL_REMOTE_RPC_ENDPOINT: net.url() };
  const done = async (args, input = '') => {
    const ended = await vigil(args, { env, input });
    assertEqual(ended.code, 0, `${args.slice(0, 2).join(' ')} (${ended.stderr})`);
    return ended.stdout;
  };
  const call = async (...args) => {
    const text = await done(['call', 'smart_contract', '--chain=privatenet', from, '--gas_price=1000000000wei', ...args]);
    return { text, ...JSON.parse(text) };
  };
  const tx = async (...args) => {
    const flags = ['--chain=privatenet', from, `--gas_price=${PRICE}`, ...args];
    const text = await done(['tx', 'smart_contract', ...flags], 'qwertyuiop\n');
    const [first, ...json] = text.split('\n');
    assertEqual(first, 'Successfully broadcasted transaction:', 'the first line');
    const sent = JSON.parse(json.join('\n'));
    assert(sent.block.Height > 0, 'the block that holds it');
    return JSON.parse(await done(['query', 'tx', `--hash=${sent.hash}`]));
  };
  let height; // of the block with SetValue(3)
  return {
    [`${rules}: the send before it, sequence 1`]: async () => {
      const to = `--to=${RECIPIENT.slice(2)}`;
      await done(['tx', 'send', '--chain=privatenet', from, to, '--theta=10', '--tfuel=20', '--seq=1'], 'qwertyuiop\n');
    },
    [`${rules}: the dry run of the deployment prints what the README prints`]: async () => {
      const { text } = await call('--value=0', '--gas_limit=200000', `--data=${DEPLOY}`);
      const printed = { contract_address: CONTRACT, gas_used: String(gas.deploy), vm_error: '', vm_return: RUNTIME };
      assertEqual(text, `${JSON.stringify(printed, null, 4)}\n`, 'the answer');
      const unknown = await vigil(['query', 'account', `--address=${CONTRACT}`], { env });
      assertEqual(unknown.code, 1, 'nothing was kept: exit code');
    },
    [`${rules}: the deployment, with its receipt`]: async () => {
      const seen = await tx('--value=0', '--gas_limit=200000', `--data=${DEPLOY}`, '--seq=2');
      assertEqual(seen.status, 'finalized', 'status');
      assertEqual(seen.receipt.GasUsed, gas.deploy, 'gas');
      assertEqual(seen.receipt.ContractAddress, CONTRACT, 'contract');
      assertEqual(seen.receipt.EvmErr, '', 'error');
      assertEqual(seen.receipt.TxHash, seen.hash, 'hash');
      assertEqual(Buffer.from(seen.receipt.EvmRet, 'base64').toString('hex'), RUNTIME, 'its code');
      assertEqual(seen.receipt.Logs, null, 'logs');
      assertEqual(seen.blance_changes.GasUsed, gas.deploy, 'gas beside the balance changes');
    },
    [`${rules}: the account that it made`]: async () => {
      const account = JSON.parse(await done(['query', 'account', `--address=${CONTRACT}`]));
      assert(/^0x[0-9a-f]{64}$/.test(account.code), `a code hash, got ${account.code}`);
      assert(account.code !== '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470', 'it has code');
      assertEqual((await rpc(net.url(), 'theta.GetCode', { address: CONTRACT })).code, RUNTIME, 'its code');
    },
    [`${rules}: SetValue(3), and the square of it`]: async () => {
      const seen = await tx(`--to=${CONTRACT}`, '--gas_limit=50000', `--data=${SET_3}`, '--seq=3');
      assertEqual(seen.receipt.GasUsed, gas.set, 'gas');
      assertEqual(seen.receipt.ContractAddress, CONTRACT, 'contract');
      const square = await call(`--to=${CONTRACT}`, '--gas_limit=50000', `--data=${SQUARE}`);
      assertEqual(square.vm_return, NINE, 'the square');
      assertEqual(square.gas_used, String(gas.square), 'gas');
      const at = (height) =>
        rpc(net.url(), 'theta.GetStorageAt', { address: CONTRACT, storage_positon: '0', height: String(height) });
      height = Number(seen.block_height);
      assertEqual((await at(height)).value, '3'.padStart(64, '0'), 'the stored value');
      assertEqual((await at(height - 1)).value, '0'.repeat(64), 'the stored value before');
      assertEqual((await at(0)).value, '3'.padStart(64, '0'), 'the stored value now');
    },
    [`${rules}: the block shows the receipt`]: async () => {
      const block = JSON.parse(await done(['query', 'block', `--height=${height}`, '--include_eth_tx_hashes']));
      const shown = block.transactions.find((t) => t.type === 7);
      assertEqual(shown?.receipt.GasUsed, gas.set, 'gas');
      assert('balance_changes' in shown && /^0x0{64}$/.test(shown.eth_tx_hash), 'the other keys');
    },
    [`${rules}: mistakes are told`]: async () => {
      const zero = await call(`--to=${CONTRACT}`, '--gas_limit=50000', '--data=ffffffff');
      assertEqual(zero.vm_error, 'evm: execution reverted', 'no such function');
      const little = await call('--gas_limit=60000', `--data=${DEPLOY}`);
      assertEqual(little.vm_error, 'out of gas', 'too little gas');
      const much = await vigil(['call', 'smart_contract', from, '--gas_limit=20000001', `--data=${DEPLOY}`], { env });
      assertEqual(much.code, 1, 'too much gas: exit code');
      assert(/Invalid gas limit. Gas limit needs to be at most 20000000/.test(much.stderr), much.stderr);
      const flags = ['--chain=privatenet', from, '--gas_price=1000000000wei', '--gas_limit=50000', '--password=qwertyuiop'];
      const cheap = await vigil(['tx', 'smart_contract', ...flags, `--to=${CONTRACT}`, `--data=${SET_3}`], { env });
      assertEqual(cheap.code, 1, 'the price of the README: exit code');
      assert(/Insufficient gas price. Gas price needs to be at least 4000000000000 TFuelWei/.test(cheap.stderr), cheap.stderr);
    },
  };
}

const ABI = [
  'function value() view returns (uint)',
  'function SetValue(uint val)',
  'function CalculateSquare() view returns (uint)',
];

function client(net) {
  const { providers, Contract, ContractFactory, Wallet } = thetajs;
  const provider = new providers.HttpProvider('privatenet', net.url());
  const wallet = new Wallet(DEV_KEY, provider);
  let contract;
  return {
    'theta-js: a deployment, its address known before': async () => {
      const factory = new ContractFactory(ABI, DEPLOY, wallet);
      const log = console.log;
      console.log = () => {}; // the package prints its arguments
      try {
        const simulated = await factory.simulateDeploy();
        assertEqual(simulated.gas_used, String(TODAY.deploy), 'gas');
        const deployed = await factory.deploy();
        assertEqual(deployed.contract_address, simulated.contract_address, 'address');
        const seen = await provider.getTransaction(deployed.hash);
        assertEqual(seen.receipt.ContractAddress, deployed.contract_address, 'address in the receipt');
        contract = new Contract(deployed.contract_address, ABI, wallet);
      } finally {
        console.log = log;
      }
    },
    'theta-js: an estimate, a write, a read': async () => {
      const estimate = await contract.estimateGas.SetValue(12);
      assertEqual(estimate.toString(), String(TODAY.set), 'gas');
      const { hash } = await contract.SetValue(12);
      const seen = await until('settled', async () => {
        const tx = await provider.getTransaction(hash);
        return tx.status === 'finalized' && tx;
      });
      assertEqual(seen.receipt.GasUsed, TODAY.set, 'gas paid');
      assertEqual((await contract.value()).toString(), '12', 'the value');
      assertEqual((await contract.CalculateSquare()).toString(), '144', 'the square');
    },
    'theta-js: a failure is an error with its reason': async () => {
      await contract.SetValue(0); // 0 / 0 ends in an invalid opcode
      try {
        await contract.CalculateSquare();
      } catch (error) {
        assertEqual(error.message, 'invalid opcode 0xfe', 'the reason');
        return;
      }
      throw new Error('it succeeded');
    },
  };
}

function over(net) {
  return {
    [`the localnet at ${net.basePort} ends cleanly`]: async () => {
      const { code } = await net.stop();
      assertEqual(code, 0, 'exit code');
      net.remove();
    },
  };
}

const old = await Localnet.start({ basePort: 21300, args: ['--genesis', 'evm_fork=petersburg'] });
const oldTests = { ...walkthrough('petersburg', old, PETERSBURG), ...over(old) };
await run({
  ...oldTests,
  'a network under the newest rules': async () => {
    const net = await Localnet.start({ basePort: 21700 });
    const tests = { ...walkthrough('newest', net, TODAY), ...client(net), ...over(net) };
    try {
      for (const [name, test] of Object.entries(tests)) {
        await test().catch((error) => {
          throw new Error(`${name}: ${error.message}`);
        });
        console.log(`ok   ${name}`);
      }
    } finally {
      await net.stop();
    }
  },
});
