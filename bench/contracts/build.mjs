// Compiles the contracts of `vigil-bench evm` into *.hex (creation code): node bench/contracts/build.mjs
// solc is that of tests/e2e (npm, pinned there).
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
const here = new URL('.', import.meta.url);
const solc = createRequire(new URL('../../tests/e2e/lib.mjs', here))('solc');
for (const name of ['Token', 'Compute', 'Store']) {
  const sources = { [name]: { content: readFileSync(new URL(`${name}.sol`, here), 'utf8') } };
  const settings = { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun', metadata: { bytecodeHash: 'none', appendCBOR: false }, outputSelection: { '*': { '*': ['evm.bytecode.object'] } } };
  const out = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
  for (const error of out.errors ?? []) console.error(error.formattedMessage);
  writeFileSync(new URL(`${name}.hex`, here), out.contracts[name][name].evm.bytecode.object + '\n');
}
