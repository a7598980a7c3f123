// Ethereum clients against a localnet: ethers, viem, web3.py, the example contracts, and bad input over raw JSON-RPC.
//
//   node ethereum.mjs [SUITE...]      a localnet of its own; VIGIL_BIN names the program
//   VIGIL_ETH_HTTP=http://127.0.0.1:18888/rpc VIGIL_ETH_WS=ws://127.0.0.1:18889 node ethereum.mjs [SUITE...]
//                                     a node that runs already, with the ten test keys funded; VIGIL_ETH_OTHER=1 if it is not Vigil
import { Localnet, assert, assertEqual, runSuites } from './lib.mjs';
import { Chain } from './eth/chain.mjs';
import badinput from './eth/badinput.mjs';
import contracts from './eth/contracts.mjs';
import ethers from './eth/ethers.mjs';
import gift from './eth/examples/gift.mjs';
import loyalty from './eth/examples/loyalty.mjs';
import royalty from './eth/examples/royalty.mjs';
import subscription from './eth/examples/subscription.mjs';
import requests from './eth/requests.mjs';
import viem from './eth/viem.mjs';
import web3py from './eth/web3py.mjs';

const SUITES = { ethers, contracts, viem, web3py, loyalty, gift, royalty, subscription, badinput, requests };
const BASE_PORT = 22500;
const TEST_SECONDS_MAX = 120; // ends a test that hangs; no timing claim

async function connect() {
  const { VIGIL_ETH_HTTP: http, VIGIL_ETH_WS: ws } = process.env;
  if (http) return { chain: new Chain(http, ws ?? http.replace(/^http/, 'ws')), close: () => {} };
  const net = await Localnet.start({ basePort: BASE_PORT });
  // A failure outside of a test must not leave nodes behind.
  process.on('exit', () => net.exited || net.child.kill('SIGINT'));
  const close = async () => {
    assertEqual((await net.stop()).code, 0, 'exit code of the localnet');
    net.remove();
  };
  const eth = /(?:^| )eth=(\S+)/.exec(net.ready);
  assert(eth, `the ready line names eth=: ${net.ready}`);
  return { chain: new Chain(eth[1], `ws://127.0.0.1:${BASE_PORT + 2}/`), close };
}

const asked = process.argv.slice(2);
const names = asked.length ? asked : Object.keys(SUITES);
for (const name of names) assert(SUITES[name], `no suite ${name}; there are ${Object.keys(SUITES).join(', ')}`);

function bounded(tests) {
  const bound = (name, test) => async () => {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`gave up after ${TEST_SECONDS_MAX} s: ${name}`)), TEST_SECONDS_MAX * 1000);
    });
    await Promise.race([test(), late]).finally(() => clearTimeout(timer));
  };
  return Object.fromEntries(Object.entries(tests).map(([name, test]) => [name, bound(name, test)]));
}

const { chain, close } = await connect();
let passed = await runSuites(Object.fromEntries(names.map((name) => [name, bounded(SUITES[name](chain))])));
try {
  await close();
} catch (error) {
  console.log(`FAIL the localnet ends cleanly\n     ${error.stack}`);
  passed = false;
}
process.exit(passed ? 0 : 1);
