// Compiles the example contracts and the tests' own with the pinned solc.
import solc from 'solc';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FOLDERS = [join(HERE, '../../../examples/contracts'), join(HERE, 'contracts')];
// `selfdestruct`, which the storm needs, is deprecated; every other warning fails the tests.
const ALLOWED_WARNINGS = ['5159'];

function compile() {
  const sources = {};
  for (const folder of FOLDERS) {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.sol'))) {
      sources[name] = { content: readFileSync(join(folder, name), 'utf8') };
    }
  }
  const settings = {
    evmVersion: 'cancun',
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
  const problems = (output.errors ?? []).filter((error) => !ALLOWED_WARNINGS.includes(error.errorCode));
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'));
  const contracts = {};
  for (const file of Object.values(output.contracts)) {
    for (const [name, { abi, evm }] of Object.entries(file)) contracts[name] = { abi, bytecode: `0x${evm.bytecode.object}` };
  }
  return contracts;
}

// By name: { abi, bytecode }.
export const contracts = compile();
