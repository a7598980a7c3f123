// What the suites that use ethers share.
import { Contract, ContractFactory, Interface, JsonRpcProvider, Wallet, id } from 'ethers';
import { assert, assertEqual } from '../lib.mjs';
import { COIN, KEYS } from './chain.mjs';
import { contracts } from './compile.mjs';

const POLL_MS = 100;
const WAIT_MS = 60_000; // ends a test that hangs

export class Kit {
  constructor(chain, suite) {
    this.chain = chain;
    // A cached answer would hide what a block has changed.
    this.provider = new JsonRpcProvider(chain.http, undefined, { cacheTimeout: -1, pollingInterval: POLL_MS });
    this.wallet = new Wallet(KEYS[suite], this.provider);
    this.suite = suite;
    this.made = 0;
  }

  // An account of this suite that nobody else uses; empty on a new chain.
  party() {
    return new Wallet(id(`${this.suite} ${this.made++}`), this.provider);
  }

  // Accounts with `coins` more each.
  async parties(count, coins = 100n) {
    const wallets = Array.from({ length: count }, () => this.party());
    const sent = [];
    for (const { address } of wallets) sent.push(await this.wallet.sendTransaction({ to: address, value: coins * COIN }));
    await Promise.all(sent.map((tx) => tx.wait(1, WAIT_MS)));
    return wallets;
  }

  async deploy(name, args = [], { signer = this.wallet, value = 0n } = {}) {
    const factory = new ContractFactory(contracts[name].abi, contracts[name].bytecode, signer);
    const contract = await factory.deploy(...args, ...(value ? [{ value }] : []));
    return contract.waitForDeployment();
  }

  at(name, address, runner = this.wallet) {
    return new Contract(address, contracts[name].abi, runner);
  }

  mined(hash) {
    return this.provider.waitForTransaction(hash, 1, WAIT_MS);
  }

  balance(of, block) {
    return this.provider.getBalance(of, block);
  }

  async timestamp(receipt) {
    return BigInt((await this.provider.getBlock(receipt.blockNumber)).timestamp);
  }

  // What a transaction cost its sender in gas.
  fee(receipt) {
    return receipt.gasUsed * receipt.gasPrice;
  }
}

// Sends in this order without waiting between, then waits for all: [[contract method, args...], ...]
export async function mineAll(calls) {
  const sent = [];
  for (const [method, ...args] of calls) sent.push(await method(...args));
  return Promise.all(sent.map((tx) => tx.wait(1, WAIT_MS)));
}

export async function mine(method, ...args) {
  return (await mineAll([[method, ...args]]))[0];
}

// The call, and the estimate before a transaction, are refused with this custom error of `errors` and these arguments.
export async function assertRefused(method, args, name, values, errors) {
  for (const attempt of [method.staticCall, method.estimateGas]) {
    const error = await attempt(...args).then(
      (result) => assert(false, `${method.name ?? 'call'} must be refused with ${name}, got ${result}`),
      (reason) => reason,
    );
    assertEqual(error.code, 'CALL_EXCEPTION', `code (${error.message})`);
    const decoded = (errors ? new Interface(contracts[errors].abi) : method._contract.interface).parseError(error.data);
    assertEqual(decoded?.name, name, `error name (${error.message})`);
    assertEqual(String(decoded.args), String(values), `arguments of ${name}`);
  }
}

// The events of this contract in a receipt, as [name, ...values] with values as text.
export function events(contract, receipt) {
  return receipt.logs
    .filter((log) => log.address === contract.target)
    .map((log) => contract.interface.parseLog(log))
    .map(({ name, args }) => [name, ...args.map(String)]);
}

export function assertEvents(contract, receipt, want) {
  const text = (list) => JSON.stringify(list.map((event) => event.map(String)));
  assertEqual(text(events(contract, receipt)), text(want), 'events');
}
