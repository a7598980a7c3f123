// examples/contracts/LoyaltyTier.sol: receipts, tiers, bonuses, who may report.
import { id } from 'ethers';
import { assertEqual } from '../../lib.mjs';
import { Kit, assertEvents, assertRefused, mine, mineAll } from '../kit.mjs';

const GIB = 2n ** 30n;
const TIERS = [[10n * GIB, 100], [100n * GIB, 250], [1000n * GIB, 500]]; // bytes relayed, basis points
const MOVIE = id('movie-1');
const CONCERT = id('concert-7');

export default function (chain) {
  const kit = new Kit(chain, 'loyalty');
  let tiers;
  let reporter;
  let relay;

  return {
    'tiers must ascend': async () => {
      const deploy = (list) => kit.deploy('LoyaltyTier', [list]).catch((error) => tiers.interface.parseError(error.data));
      tiers = await kit.deploy('LoyaltyTier', [TIERS]);
      assertEqual(String((await deploy([[5n, 1], [5n, 2]])).args), '1', 'equal thresholds: index');
      assertEqual(String((await deploy([[5n, 10_001]])).args), '0', 'a bonus above 100 %: index');
      assertEqual((await deploy([])).name, 'BadTiers', 'no tiers');
      assertEqual(await tiers.tierCount(), 3n, 'count');
      assertEqual(String(await tiers.tier(2)), String(TIERS[1]), 'tier 2');
      await assertRefused(tiers.tier, [4n], 'BadTiers', [4n]);
    },

    'only the owner names reporters, only reporters report': async () => {
      [reporter, relay] = await kit.parties(2, 10n);
      const asReporter = tiers.connect(reporter);
      await assertRefused(asReporter.setReporter, [reporter, true], 'NotOwner', [reporter.address]);
      await assertRefused(asReporter.report, [relay, MOVIE, 1n], 'NotReporter', [reporter.address]);
      assertEvents(tiers, await mine(tiers.setReporter, reporter, true), [['ReporterSet', reporter.address, true]]);
    },

    'cumulative receipts raise the tier': async () => {
      const { report } = tiers.connect(reporter);
      assertEvents(tiers, await mine(report, relay, MOVIE, 4n * GIB), [['BytesReported', relay.address, MOVIE, 4n * GIB, 4n * GIB]]);
      assertEqual(await tiers.tierOf(relay), 0n, 'tier');
      assertEqual(await tiers.bytesToNextTier(relay), 6n * GIB, 'bytes to the next');
      // The same receipt again, and an older one.
      await assertRefused(report, [relay, MOVIE, 4n * GIB], 'StaleReceipt', [relay.address, MOVIE, 4n * GIB, 4n * GIB]);
      await assertRefused(report, [relay, MOVIE, GIB], 'StaleReceipt', [relay.address, MOVIE, GIB, 4n * GIB]);
      // Exactly the threshold; the other resource counts on its own.
      assertEvents(tiers, await mine(report, relay, CONCERT, 6n * GIB), [
        ['BytesReported', relay.address, CONCERT, 6n * GIB, 6n * GIB],
        ['TierReached', relay.address, 0, 1],
      ]);
      assertEqual(await tiers.bonusOn(relay, 1999n), 19n, 'bonus of 1 %, rounded down');
      assertEqual([await tiers.lastReceipt(relay, MOVIE), await tiers.resourceBytes(CONCERT)].join(), [4n * GIB, 6n * GIB].join(), 'receipts');
    },

    'a batch counts whole or not at all': async () => {
      const { reportMany } = tiers.connect(reporter);
      const stale = [[relay.address, MOVIE, 5n * GIB], [relay.address, CONCERT, 6n * GIB]];
      await assertRefused(reportMany, [stale], 'StaleReceipt', [relay.address, CONCERT, 6n * GIB, 6n * GIB]);
      await assertRefused(reportMany, [[]], 'BadBatch', [0n]);
      assertEqual(await tiers.relayedBytes(relay), 10n * GIB, 'nothing was counted');
      const receipt = await mine(reportMany, [[relay.address, MOVIE, 500n * GIB], [relay.address, CONCERT, 506n * GIB]]);
      assertEvents(tiers, receipt, [
        ['BytesReported', relay.address, MOVIE, 500n * GIB, 496n * GIB],
        ['TierReached', relay.address, 1, 2],
        ['BytesReported', relay.address, CONCERT, 506n * GIB, 500n * GIB],
        ['TierReached', relay.address, 2, 3],
      ]);
      assertEqual([await tiers.tierOf(relay), await tiers.bytesToNextTier(relay), await tiers.bonusOn(relay, 10_000n)].join(), '3,0,500', 'the highest tier');
      const max = 2n ** 64n - 1n;
      await mine(tiers.connect(reporter).report, relay, MOVIE, max);
      assertEqual(await tiers.relayedBytes(relay), max + 506n * GIB, 'the largest receipt');
    },

    'ownership moves in two steps': async () => {
      await mineAll([[tiers.offerOwnership, reporter], [tiers.setReporter, reporter, false]]);
      await assertRefused(tiers.connect(relay).takeOwnership, [], 'NotPendingOwner', [relay.address]);
      await assertRefused(tiers.connect(reporter).report, [relay, CONCERT, 600n * GIB], 'NotReporter', [reporter.address]);
      assertEvents(tiers, await mine(tiers.connect(reporter).takeOwnership), [['OwnershipTaken', kit.wallet.address, reporter.address]]);
      await assertRefused(tiers.setReporter, [relay, true], 'NotOwner', [kit.wallet.address]);
      kit.provider.destroy();
    },
  };
}
