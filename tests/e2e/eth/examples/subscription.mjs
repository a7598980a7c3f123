// examples/contracts/PayPerUseSubscription.sol: viewing by the second and by the minute, from a prepaid balance.
import { assert, assertEqual, until } from '../../lib.mjs';
import { COIN } from '../chain.mjs';
import { Kit, assertEvents, assertRefused, events, mine, mineAll } from '../kit.mjs';

const PER_SECOND = COIN / 1000n;
const PER_MINUTE = COIN / 20n;
// What a charge costs depends on the second in which it runs, so that an estimate may be too low by then.
const GAS = { gasLimit: 200_000n };

export default function (chain) {
  const kit = new Kit(chain, 'subscription');
  let shop;
  let provider;
  let ann;
  let ben;
  let prepaidInAll = 0n;
  let paidOut = 0n;

  const prepay = (viewer, value) => {
    prepaidInAll += value;
    return mine(shop.connect(viewer).prepay, { value });
  };
  // All that came in is somebody's.
  async function assertBooks() {
    const owed = await Promise.all([shop.prepaid(ann), shop.prepaid(ben), shop.earnings(provider)]);
    const held = await kit.balance(shop.target);
    assertEqual(held, prepaidInAll - paidOut, 'held');
    assertEqual(owed.reduce((sum, part) => sum + part, 0n), held, 'owed');
  }
  const started = (seconds, period) => seconds / period + 1n;
  const passes = (time) => until(`the time ${time}`, async () => BigInt((await kit.provider.getBlock('latest')).timestamp) >= time);

  return {
    'a provider offers plans': async () => {
      shop = await kit.deploy('PayPerUseSubscription');
      [provider, ann, ben] = await kit.parties(3);
      const { offer } = shop.connect(provider);
      await assertRefused(offer, [0n, 1n], 'BadPlan', [0n, 1n]);
      await assertRefused(offer, [1n, 0n], 'BadPlan', [1n, 0n]);
      const [first] = await mineAll([[offer, PER_SECOND, 1n], [offer, PER_MINUTE, 60n]]);
      assertEvents(shop, first, [['PlanOffered', 0, provider.address, PER_SECOND, 1]]);
      assertEqual(String(await shop.planInfo(1n)), String([provider.address, PER_MINUTE, 60, true]), 'plan');
      await assertRefused(shop.connect(ann).change, [0n, 1n, true], 'NotProvider', [ann.address]);
    },

    'a start needs a plan, a price that holds and prepaid coins': async () => {
      const { start, stop, refund, prepay: pay } = shop.connect(ann);
      await assertRefused(start, [0n, PER_SECOND], 'NotEnoughPrepaid', [0n, PER_SECOND]);
      await assertRefused(pay, [{ value: 0n }], 'NothingToPay', [ann.address]);
      await assertRefused(start, [2n, PER_SECOND], 'UnknownPlan', [2n]);
      await assertRefused(stop, [], 'NoSession', [ann.address]);
      assertEvents(shop, await prepay(ann, COIN), [['Prepaid', ann.address, COIN]]);
      await assertRefused(start, [0n, PER_SECOND - 1n], 'PriceAbove', [PER_SECOND, PER_SECOND - 1n]);
      await assertRefused(refund, [COIN + 1n], 'NotEnoughPrepaid', [COIN, COIN + 1n]);
      await assertBooks();
    },

    'viewing by the second is charged by the seconds': async () => {
      const viewer = shop.connect(ann);
      const start = await mine(viewer.start, 0n, PER_SECOND);
      assertEvents(shop, start, [['Started', ann.address, 0, PER_SECOND, 1], ['Charged', ann.address, 0, 1, PER_SECOND]]);
      const from = await kit.timestamp(start);
      await assertRefused(viewer.start, [0n, PER_SECOND], 'SessionRunning', [ann.address]);
      await passes(from + 2n);
      // The provider takes what is due so far; the price changes for later sessions only.
      const [settled] = await mineAll([[shop.connect(provider).settle, [ann, ben], GAS], [shop.connect(provider).change, 0n, 2n * PER_SECOND, true]]);
      const periods = started((await kit.timestamp(settled)) - from, 1n);
      assertEvents(shop, settled, [['Charged', ann.address, 0, periods - 1n, (periods - 1n) * PER_SECOND]]);
      const covered = from + periods + (await shop.prepaid(ann)) / PER_SECOND;
      assertEqual(await shop.coveredUntil(ann), covered, 'covered until');
      const stop = await mine(viewer.stop, GAS);
      const cost = started((await kit.timestamp(stop)) - from, 1n) * PER_SECOND;
      assertEqual(String(events(shop, stop).at(-1)), String(['Stopped', ann.address, 0, false]), 'event');
      assertEqual([await shop.prepaid(ann), await shop.earnings(provider)].join(), [COIN - cost, cost].join(), 'what is left, what is earned');
      assertEqual([await shop.coveredUntil(ann), (await shop.session(ann)).startedAt].join(), '0,0', 'no session');
      await assertBooks();
    },

    'viewing by the minute is charged by started minutes': async () => {
      await prepay(ben, COIN);
      const viewer = shop.connect(ben);
      const earned = await shop.earnings(provider);
      const start = await mine(viewer.start, 1n, PER_MINUTE);
      const stop = await mine(viewer.stop, GAS);
      const cost = started((await kit.timestamp(stop)) - (await kit.timestamp(start)), 60n) * PER_MINUTE;
      assertEqual((await shop.earnings(provider)) - earned, cost, 'cost');
      assertEqual(await shop.prepaid(ben), COIN - cost, 'left');
    },

    'a balance that runs out ends the session and is never overdrawn': async () => {
      const viewer = shop.connect(ben);
      const price = 2n * PER_SECOND;
      const back = (await shop.prepaid(ben)) - 2n * price - 5n;
      paidOut += back;
      await mine(viewer.refund, back);
      const earned = await shop.earnings(provider);
      const from = await kit.timestamp(await mine(viewer.start, 0n, COIN));
      const end = await shop.coveredUntil(ben);
      assertEqual(end, from + 2n, 'covered for two seconds');
      await passes(end + 1n);
      const stop = await mine(viewer.stop, GAS);
      assertEvents(shop, stop, [['Charged', ben.address, 0, 1, price], ['Stopped', ben.address, 0, true]]);
      assertEqual([(await shop.earnings(provider)) - earned, await shop.prepaid(ben)].join(), [2n * price, 5n].join(), 'all but what buys no second');
      await assertRefused(viewer.stop, [], 'NoSession', [ben.address]);
      await assertBooks();
    },

    'the provider claims, the viewers take back the rest': async () => {
      const { claim } = shop.connect(provider);
      const [earned, before] = [await shop.earnings(provider), await kit.balance(provider.address)];
      const claimed = await mine(claim);
      assertEvents(shop, claimed, [['Claimed', provider.address, earned]]);
      assertEqual((await kit.balance(provider.address)) - before, earned - kit.fee(claimed), 'received');
      paidOut += earned;
      await assertRefused(claim, [], 'NothingToPay', [provider.address]);
      for (const viewer of [ann, ben]) {
        const left = await shop.prepaid(viewer);
        assertEvents(shop, await mine(shop.connect(viewer).refund, left), [['Refunded', viewer.address, left]]);
        paidOut += left;
      }
      assertEqual(await kit.balance(shop.target), 0n, 'nothing remains');
      await assertRefused(shop.connect(ann).refund, [0n], 'NothingToPay', [ann.address]);
      await assertBooks();
    },

    'a provider that asks again while it is paid gets nothing more': async () => {
      const thief = await kit.deploy('Taker', [true]);
      const data = (name, args = []) => shop.interface.encodeFunctionData(name, args);
      await mineAll([[thief.act, shop.target, data('offer', [PER_SECOND, 86_400n])], [thief.arm, shop.target, data('claim')]]);
      const plan = (await shop.planCount()) - 1n;
      await prepay(ann, COIN);
      await mine(shop.connect(ann).start, plan, PER_SECOND);
      await mine(thief.act, shop.target, data('claim'));
      assertEqual([await thief.reentries(), await thief.refused(), await kit.balance(thief.target)].join(), [0, 1, PER_SECOND].join(), 'once');
      await mine(shop.connect(provider).change, 0n, 1n, false);
      await mine(shop.connect(ann).stop, GAS);
      await assertRefused(shop.connect(ann).start, [0n, COIN], 'PlanClosed', [0n]);
      assert((await shop.prepaid(ann)) === COIN - PER_SECOND, 'the viewer paid one period');
      kit.provider.destroy();
    },
  };
}
