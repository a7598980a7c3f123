// examples/contracts/RoyaltySplitter.sol: shares, rounding, coins that come without a call, reentrancy.
import { ZeroAddress } from 'ethers';
import { assert, assertEqual } from '../../lib.mjs';
import { COIN } from '../chain.mjs';
import { Kit, assertEvents, assertRefused, mine, mineAll } from '../kit.mjs';

const SHARES = [5_000n, 3_333n, 1_667n];
const BPS = 10_000n;

export default function (chain) {
  const kit = new Kit(chain, 'royalty');
  let splitter;
  let payees;
  let relay;
  let received = 0n;

  const pay = (value) => {
    received += value;
    return relay.sendTransaction({ to: splitter.target, value }).then((tx) => tx.wait());
  };
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0n);
  const due = () => Promise.all(payees.map((payee) => splitter.due(payee)));

  // Nothing is lost and nothing made: what was paid out, what is due, and less than a wei a payee.
  async function assertBooks() {
    const released = await Promise.all(payees.map((payee) => splitter.released(payee)));
    const owed = await due();
    assertEqual(await splitter.totalReceived(), received, 'received');
    assertEqual(await kit.balance(splitter.target), received - sum(released), 'held');
    SHARES.forEach((share, i) => assertEqual(released[i] + owed[i], (received * share) / BPS, `share ${i}`));
    const dust = received - sum(released) - sum(owed);
    assert(dust >= 0n && dust < BigInt(SHARES.length), `dust ${dust}`);
    return dust;
  }

  return {
    'shares must be whole': async () => {
      const wallets = await kit.parties(3, 1n);
      payees = wallets.slice(0, 2).map((wallet) => wallet.address);
      relay = kit.wallet;
      const closed = await kit.deploy('Taker', [false]);
      payees.push(closed.target);
      splitter = await kit.deploy('RoyaltySplitter', [payees, SHARES]);
      const refused = (accounts, shares) => kit.deploy('RoyaltySplitter', [accounts, shares]).then(
        () => assert(false, 'must be refused'),
        (error) => splitter.interface.parseError(error.data),
      );
      const [a, b] = payees;
      for (const [accounts, shares, name, args] of [
        [[a, b], [5_000, 4_999], 'BadShares', [9_999]],
        [[a, b], [5_000, 5_001], 'BadShares', [10_001]],
        [[a, a], [5_000, 5_000], 'BadPayee', [a]],
        [[a, ZeroAddress], [5_000, 5_000], 'BadPayee', [ZeroAddress]],
        [[a, b], [10_000, 0], 'BadPayee', [b]],
        [[a], [5_000, 5_000], 'BadPayeeCount', [1, 2]],
        [[], [], 'BadPayeeCount', [0, 0]],
      ]) {
        const error = await refused(accounts, shares);
        assertEqual(`${error.name} ${error.args}`, `${name} ${args}`, 'refusal');
      }
      assertEqual(String(await splitter.payees()), String(payees), 'payees');
    },

    'settled earnings are split, and rounding loses nothing': async () => {
      for (const value of [1n, 2n, 9_998n, COIN + 7n]) assertEvents(splitter, await pay(value), [['Received', relay.address, value]]);
      await assertBooks();
      const before = await kit.balance(payees[0]);
      const [mine0] = await due();
      assertEvents(splitter, await mine(splitter.release, payees[0]), [['Released', payees[0], mine0]]);
      assertEqual((await kit.balance(payees[0])) - before, mine0, 'received by the first payee');
      await assertBooks();
      await pay(3n);
      await assertBooks();
      await assertRefused(splitter.release, [relay.address], 'NotPayee', [relay.address]);
      await assertRefused(splitter.connect(relay).release, [ZeroAddress], 'NotPayee', [ZeroAddress]);
    },

    'coins that come without a call count, too': async () => {
      // As a service payment's split rule credits the account, here a contract's end does: `receive` does not run.
      const spark = await kit.deploy('Spark', [splitter.target], { value: 12_345n });
      assertEqual((await spark.deploymentTransaction().wait()).logs.length, 0, 'no event');
      received += 12_345n;
      await assertBooks();
    },

    'a payee that takes nothing holds up nobody': async () => {
      const [, second, third] = payees;
      const owed = await splitter.due(third);
      await assertRefused(splitter.release, [third], 'PaymentFailed', [third, owed]);
      await mine(splitter.release, second);
      assertEqual(await splitter.due(second), 0n, 'the second is paid');
      await assertRefused(splitter.release, [second], 'NothingDue', [second]);
      assertEqual(await splitter.due(third), owed, 'the third keeps its claim');
    },

    'a payee that asks again while it is paid gets its share once': async () => {
      const thief = await kit.deploy('Taker', [true]);
      const honest = kit.party().address;
      const split = await kit.deploy('RoyaltySplitter', [[thief.target, honest], [4_000, 6_000]], { value: 10_000n });
      await mine(thief.arm, split.target, split.interface.encodeFunctionData('release', [thief.target]));
      await mineAll([[split.release, thief.target]]);
      assertEqual([await thief.reentries(), await thief.refused()].join(), '0,1', 'it came back once, in vain');
      assertEqual(await kit.balance(thief.target), 4_000n, 'its share');
      const before = await kit.balance(honest);
      await mine(split.release, honest);
      assertEqual((await kit.balance(honest)) - before, 6_000n, 'the other share');
      assertEqual(await kit.balance(split.target), 0n, 'to the last wei');
    },

    'a sum that divides leaves nothing behind': async () => {
      await pay(BPS - (received % BPS));
      assertEqual(await assertBooks(), 0n, 'dust');
      kit.provider.destroy();
    },
  };
}
