// The chain that the Ethereum clients talk to: its endpoint, what is known of it, and raw JSON-RPC.
import { assert, assertEqual, until } from '../lib.mjs';

export const CHAIN_ID = 366;
export const TX_GAS_MAX = 20_000_000n;
export const BLOCK_GAS_MAX = 60_000_000n;
// Wei for each gas: the constant base fee, which is the least gas price, too.
export const BASE_FEE = 4n * 10n ** 12n;
export const COIN = 10n ** 18n;
// Set where the node is another Ethereum node: what Vigil decided differently is not asserted there.
export const IS_VIGIL = !process.env.VIGIL_ETH_OTHER;
export const LONG = Boolean(process.env.VIGIL_TEST_LONG);

// The ten test keys of spec/cli.md §1. Each suite spends from its own, so that they can run beside each other.
const SUITES = ['ethers', 'contracts', 'viem', 'web3py', 'badinput', 'loyalty', 'gift', 'royalty', 'subscription'];
export const KEYS = Object.fromEntries(SUITES.map((suite, i) => [suite, `0x${String(i + 1).repeat(64)}`]));

export class Chain {
  constructor(http, ws) {
    this.http = http;
    this.ws = ws;
    this.id = 0;
  }

  // Sends `body` as it is; answers the HTTP status and the JSON, `undefined` where there is none.
  async post(body) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(this.http, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: text });
    const answer = await response.text();
    return { status: response.status, json: answer ? JSON.parse(answer) : undefined };
  }

  // The whole answer, with `result` or `error`.
  async answer(method, params = []) {
    const id = ++this.id;
    const { json } = await this.post({ jsonrpc: '2.0', id, method, params });
    assertEqual(json.jsonrpc, '2.0', `jsonrpc of ${method}`);
    assertEqual(json.id, id, `id of ${method}`);
    assert(('result' in json) !== ('error' in json), `${method}: result or error, got ${JSON.stringify(json)}`);
    return json;
  }

  async rpc(method, params = []) {
    const { result, error } = await this.answer(method, params);
    assert(!error, `${method}: ${JSON.stringify(error)}`);
    return result;
  }

  // An error with this code and a message that matches; answers it. Other nodes have other codes and words: of those only
  // some error is asked.
  async refused(method, params, { code = -32000, message = /./ } = {}) {
    const { result, error } = await this.answer(method, params);
    const what = `${method} ${JSON.stringify(params).slice(0, 200)}`;
    assert(error, `${what}: an error, got ${JSON.stringify(result)}`);
    if (!IS_VIGIL) return error;
    assertEqual(error.code, code, `code of ${what} (${error.message})`);
    assert(message.test(error.message), `${what}: ${message}, got ${JSON.stringify(error)}`);
    return error;
  }

  async height() {
    return Number(await this.rpc('eth_blockNumber'));
  }

  async grows(blocks = 2) {
    const height = await this.height();
    return until(`${blocks} more blocks`, async () => (await this.height()) >= height + blocks);
  }

  receipt(hash) {
    return until(`receipt of ${hash}`, () => this.rpc('eth_getTransactionReceipt', [hash]));
  }
}

// An estimate is enough and not much more than what was used.
export function assertEstimate(estimate, used, what) {
  const [asked, spent] = [BigInt(estimate), BigInt(used)];
  assert(asked >= spent && asked * 100n <= spent * 115n, `estimate of ${what}: ${asked}, used ${spent}`);
}

export function assertMatch(text, pattern, what) {
  assert(pattern.test(text), `${what}: ${text} does not match ${pattern}`);
}
