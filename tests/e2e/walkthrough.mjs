// The reference README's walk-through with `vigil` in place of `thetacli`.
import { execFileSync } from 'node:child_process';
import { DEV_ADDRESS, Localnet, RECIPIENT, assert, assertEqual, run, vigil } from './lib.mjs';

const net = await Localnet.start({ basePort: 21100 });
const env = { VIGIL_HOME: net.home, VIGIL_REMOTE_RPC_ENDPOINT: net.url() };
const bare = (address) => address.slice(2);
const account = async (address) => JSON.parse((await vigil(['query', 'account', `--address=${bare(address)}`], { env })).stdout);

await run({
  'send 10 THETA and 20 TFUEL, then query both': async () => {
    const before = await account(RECIPIENT);
    const sent = await vigil(
      ['tx', 'send', '--chain=privatenet', `--from=${bare(DEV_ADDRESS)}`, `--to=${bare(RECIPIENT)}`, '--theta=10', '--tfuel=20', '--seq=1'],
      { env, input: 'qwertyuiop\n' },
    );
    assertEqual(sent.code, 0, `exit code (${sent.stderr})`);
    assert(sent.stdout.includes('Successfully broadcasted transaction:'), sent.stdout);
    const after = await account(RECIPIENT);
    const gained = (coin) => BigInt(after.coins[coin]) - BigInt(before.coins[coin]);
    assertEqual(gained('thetawei'), 10n ** 19n, 'THETA');
    assertEqual(gained('tfuelwei'), 2n * 10n ** 19n, 'TFUEL');
    const sender = await account(DEV_ADDRESS);
    assertEqual(sender.sequence, '1', 'sequence');
    assertEqual(sender.coins.thetawei, (12_499_990n * 10n ** 18n).toString(), 'THETA left');
  },

  'a node says which commit it is built from': async () => {
    const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
    const version = JSON.parse((await vigil(['query', 'version'], { env })).stdout);
    assertEqual(version.git_hash, commit, 'git_hash');
    assert(!Number.isNaN(Date.parse(version.timestamp)), `a time, got ${version.timestamp}`);
    assertEqual((await vigil(['--version'])).stdout, `vigil ${version.version} (${commit})\n`, '--version');
  },

  'a wrong password sends nothing': async () => {
    const sent = await vigil(
      ['tx', 'send', '--chain=privatenet', `--from=${bare(DEV_ADDRESS)}`, `--to=${bare(RECIPIENT)}`, '--theta=1', '--seq=2', '--password=wrong'],
      { env },
    );
    assertEqual(sent.code, 1, 'exit code');
    assertEqual(sent.stdout, '', 'stdout');
    assert(sent.stderr.length > 0, 'an error on stderr');
    assertEqual((await account(DEV_ADDRESS)).sequence, '1', 'sequence');
  },

  'a used sequence is refused with both numbers': async () => {
    const sent = await vigil(
      ['tx', 'send', '--chain=privatenet', `--from=${bare(DEV_ADDRESS)}`, `--to=${bare(RECIPIENT)}`, '--theta=1', '--seq=1', '--password=qwertyuiop'],
      { env },
    );
    assertEqual(sent.code, 1, 'exit code');
    assert(/Got 1, expected 2/.test(sent.stderr), sent.stderr);
  },

  'an unknown flag is wrong usage': async () => {
    assertEqual((await vigil(['tx', 'send', '--colour=blue'], { env })).code, 2, 'exit code');
  },

  'the localnet ends cleanly': async () => {
    const { code } = await net.stop();
    assertEqual(code, 0, 'exit code');
    net.remove();
  },
});
