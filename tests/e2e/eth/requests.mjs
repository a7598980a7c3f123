// Bad requests: JSON-RPC that is none, unknown things, ranges and filters, sockets that misbehave.
import { WebSocket } from 'ws';
import { id } from 'ethers';
import { assert, assertEqual, until } from '../lib.mjs';
import { IS_VIGIL, LONG } from './chain.mjs';

const UNKNOWN_HASH = id('nothing has this hash');
const ACCOUNT = '0x00000000000000000000000000000000c0ffee05';
const BATCH_MAX = 1000;
const BODY_BYTES_MAX = 5 * 1024 * 1024;
const PARAMS = { code: -32602 };
const FILTER_NOT_FOUND = { message: /filter not found/ };

export default function (chain) {
  const nothing = async (method, ...params) => assertEqual(await chain.rpc(method, params), null, `${method} of nothing`);

  // A WebSocket and what it receives.
  function connect() {
    const socket = new WebSocket(chain.ws);
    const got = [];
    socket.on('message', (data) => got.push(JSON.parse(data)));
    socket.on('error', () => {});
    const opened = new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const answer = (n) => until(`answer ${n}`, () => got.find((message) => message.id === n));
    const ask = (n, method, params) => {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: n, method, params }));
      return answer(n);
    };
    return { socket, got, opened, ask };
  }

  return {
    'unknown methods are -32601': async () => {
      const message = /^the method vigil_nothing does not exist\/is not available$/;
      await chain.refused('vigil_nothing', [], { code: -32601, message });
      await chain.refused('ETH_CHAINID', [], { code: -32601 });
      // A node keeps no keys for clients.
      await chain.refused('eth_sendTransaction', [{ from: ACCOUNT, to: ACCOUNT }], { code: -32601 });
    },

    'arguments that do not fit are -32602': async () => {
      if (IS_VIGIL) {
        await chain.refused('eth_getBalance', [], { code: -32602, message: /^missing value for required argument 0$/ });
        await chain.refused('eth_getBalance', [ACCOUNT, 'latest', 1], { code: -32602, message: /^too many arguments, want at most 2$/ });
        await chain.refused('eth_getBalance', ['0x12', 'latest'], { code: -32602, message: /^invalid argument 0: / });
        await chain.refused('eth_getBlockByNumber', ['0x', false], { code: -32602, message: /^invalid argument 0: / });
      }
      for (const [method, params] of [
        ['eth_getBalance', [`${ACCOUNT}00`, 'latest']],
        ['eth_getBalance', [ACCOUNT.slice(2, -2), 'latest']],
        ['eth_getBalance', [ACCOUNT, 'newest']],
        ['eth_getBlockByNumber', ['0xzz', false]],
        ['eth_getBlockByNumber', [`0x1${'0'.repeat(40)}`, false]],
        ['eth_getBlockByHash', ['0x1234', false]],
        ['eth_getTransactionReceipt', ['0x1234']],
        ['eth_call', ['no object', 'latest']],
        ['eth_call', [{ to: '0x1' }, 'latest']],
        ['eth_getLogs', [{ topics: [['0x12']] }]],
        ['eth_getLogs', [{ address: 'x' }]],
        ['eth_feeHistory', ['0x2', 'latest', ['x']]],
      ]) {
        await chain.refused(method, params, PARAMS);
      }
    },

    'bodies that are no requests': async () => {
      const code = async (body) => {
        const { json } = await chain.post(body);
        return (Array.isArray(json) ? json[0] : json).error.code;
      };
      assert((await chain.post('{"jsonrpc":"2.0"')).json.error, 'half an object');
      if (!IS_VIGIL) return;
      assertEqual(await code('{"jsonrpc":"2.0"'), -32700, 'half an object');
      for (const body of ['[]', '[1]', '7', '{"jsonrpc":"2.0","id":1}']) assertEqual(await code(body), -32600, body);
      const request = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] };
      const most = (await chain.post(Array(BATCH_MAX).fill(request))).json;
      assertEqual(most.length, BATCH_MAX, 'answers to the largest batch');
      assert(most.every((answer) => answer.result === '0x16e'), 'each is answered');
      const more = (await chain.post(Array(BATCH_MAX + 1).fill(request))).json;
      assert([more].flat()[0].error, `a larger batch: ${JSON.stringify(more).slice(0, 200)}`);
      assert((await chain.post(`${'['.repeat(200)}${']'.repeat(200)}`)).json.error, 'deep nesting');
      const long = await fetch(chain.http, { method: 'POST', body: ' '.repeat(BODY_BYTES_MAX + 1) }).then(
        (response) => response.status,
        () => 413, // the connection was closed while we wrote
      );
      assertEqual(long, 413, 'status of a body that is too long');
    },

    'unknown blocks and transactions are null': async () => {
      const far = '0x7fffffff';
      await nothing('eth_getBlockByNumber', far, false);
      await nothing('eth_getBlockByHash', UNKNOWN_HASH, true);
      await nothing('eth_getTransactionByHash', UNKNOWN_HASH);
      await nothing('eth_getTransactionReceipt', UNKNOWN_HASH);
      await nothing('eth_getTransactionByBlockHashAndIndex', UNKNOWN_HASH, '0x0');
      if (IS_VIGIL) await nothing('eth_getBlockTransactionCountByNumber', far);
      await nothing('eth_getBlockTransactionCountByHash', UNKNOWN_HASH);
      const unknown = { message: /^header not found$/ };
      await chain.refused('eth_getBalance', [ACCOUNT, far], unknown);
      await chain.refused('eth_call', [{ to: ACCOUNT }, far], unknown);
      await chain.refused('eth_getBalance', [ACCOUNT, { blockHash: UNKNOWN_HASH }], unknown);
    },

    'unknown filters': async () => {
      for (const filter of ['0x1234567890abcdef', `0x${'9'.repeat(32)}`]) {
        await chain.refused('eth_getFilterChanges', [filter], FILTER_NOT_FOUND);
        if (IS_VIGIL) await chain.refused('eth_getFilterLogs', [filter], FILTER_NOT_FOUND);
        assertEqual(await chain.rpc('eth_uninstallFilter', [filter]), false, 'uninstalled');
      }
      const gone = await chain.rpc('eth_newBlockFilter');
      assertEqual(await chain.rpc('eth_uninstallFilter', [gone]), true, 'uninstalled');
      await chain.refused('eth_getFilterChanges', [gone], FILTER_NOT_FOUND);
      if (IS_VIGIL) {
        const blocks = await chain.rpc('eth_newBlockFilter');
        await chain.refused('eth_getFilterLogs', [blocks], FILTER_NOT_FOUND);
        await chain.rpc('eth_uninstallFilter', [blocks]);
      }
    },

    'logs of ranges that are none': async () => {
      if (IS_VIGIL) await chain.refused('eth_getLogs', [{ fromBlock: '0x2', toBlock: '0x1' }], { code: -32602, message: /^invalid block range/ });
      await chain.refused('eth_getLogs', [{ blockHash: UNKNOWN_HASH }], { message: /header not found|unknown block/ });
      const both = { blockHash: UNKNOWN_HASH, fromBlock: '0x1' };
      await chain.refused('eth_getLogs', [both], { code: -32602, message: /cannot specify both/ });
      if (IS_VIGIL) await chain.refused('eth_getLogs', [{ topics: Array(5).fill(UNKNOWN_HASH) }], { code: -32602, message: /exceed max topics/ });
      // Over everything: as far as the chain goes, or refused for its width.
      const { result, error } = await chain.answer('eth_getLogs', [{ fromBlock: '0x0', toBlock: '0x7fffffff', topics: [UNKNOWN_HASH] }]);
      assert(result ? result.length === 0 : /range|limit|beyond/i.test(error.message), JSON.stringify(result ?? error));
    },

    'subscriptions are for WebSockets, and of known kinds': async () => {
      assert((await chain.answer('eth_subscribe', ['newHeads'])).error, 'over HTTP');
      const { socket, got, opened, ask } = connect();
      await opened;
      assertEqual((await ask(1, 'eth_chainId', [])).result, '0x16e', 'chain id');
      for (const params of IS_VIGIL ? [[], ['nothing'], ['logs', { address: 'x' }]] : []) {
        const { error } = await ask(2 + got.length, 'eth_subscribe', params);
        assert([-32601, -32602].includes(error?.code), `${JSON.stringify(params)}: ${JSON.stringify(error)}`);
      }
      if (IS_VIGIL) assertEqual((await ask(100, 'eth_unsubscribe', ['0x1234'])).error?.message, 'subscription not found', 'of nothing');
      if (IS_VIGIL) {
        socket.send('{"jsonrpc":');
        await until('a parse error', () => got.find((message) => message.error?.code === -32700) || socket.readyState === WebSocket.CLOSED);
      }
      socket.close();
    },

    'sockets that read nothing hold up nobody': async () => {
      const sockets = await Promise.all(Array.from({ length: LONG ? 50 : 10 }, async () => {
        const { socket, opened, ask } = connect();
        await opened;
        for (const [n, params] of [['newHeads'], ['logs', {}], ['newPendingTransactions']].entries()) {
          assert((await ask(n + 1, 'eth_subscribe', params)).result, `subscribed to ${params[0]}`);
        }
        socket.pause();
        return socket;
      }));
      const live = connect();
      await live.opened;
      const { result } = await live.ask(1, 'eth_subscribe', ['newHeads']);
      await chain.grows(LONG ? 100 : 5);
      const heads = live.got.filter((message) => message.params?.subscription === result).map((message) => Number(message.params.result.number));
      assert(heads.length >= 4, `heads ${heads}`);
      heads.forEach((number, i) => assertEqual(number, heads[0] + i, `heads ${heads}`));
      for (const socket of [...sockets, live.socket]) socket.terminate();
    },
  };
}
