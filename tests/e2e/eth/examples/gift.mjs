// examples/contracts/VirtualGift.sol: the shop, the streamer's revenue, and ERC-721 with its failure cases.
import { ZeroAddress } from 'ethers';
import { assert, assertEqual } from '../../lib.mjs';
import { COIN } from '../chain.mjs';
import { Kit, assertEvents, assertRefused, mine, mineAll } from '../kit.mjs';

const PRICE = 3n * COIN;
const SAFE = 'safeTransferFrom(address,address,uint256)';

export default function (chain) {
  const kit = new Kit(chain, 'gift');
  let gift;
  let streamer;
  let ann;
  let ben;
  let open;
  let closed;

  return {
    'a streamer offers a kind of gift': async () => {
      gift = await kit.deploy('VirtualGift');
      [streamer, ann, ben] = await kit.parties(3);
      [open, closed] = [await kit.deploy('Taker', [true]), await kit.deploy('Taker', [false])];
      await assertRefused(gift.connect(streamer).offer, [PRICE, 0, 'ipfs://rose'], 'BadSupply', []);
      assertEvents(gift, await mine(gift.connect(streamer).offer, PRICE, 3, 'ipfs://rose'), [['KindOffered', 0, streamer.address, PRICE, 3]]);
      assertEqual(String(await gift.kindInfo(0)), String([streamer.address, PRICE, 3, 0, true, 'ipfs://rose']), 'kind');
      for (const [id, want] of [['0x01ffc9a7', true], ['0x80ac58cd', true], ['0x5b5e139f', true], ['0xffffffff', false], ['0x780e9d63', false]]) {
        assertEqual(await gift.supportsInterface(id), want, `interface ${id}`);
      }
    },

    'viewers buy at exactly the price': async () => {
      const { buy } = gift.connect(ann);
      await assertRefused(buy, [0n, ben, 'hi', { value: PRICE - 1n }], 'WrongPrice', [PRICE - 1n, PRICE]);
      await assertRefused(buy, [0n, ben, 'hi', { value: PRICE + 1n }], 'WrongPrice', [PRICE + 1n, PRICE]);
      await assertRefused(buy, [1n, ben, 'hi', { value: PRICE }], 'UnknownKind', [1n]);
      await assertRefused(buy, [0n, ZeroAddress, 'hi', { value: PRICE }], 'InvalidRecipient', [ZeroAddress]);
      await assertRefused(buy, [0n, ben, 'x'.repeat(281), { value: PRICE }], 'MessageTooLong', [281n, 280n]);
      // A contract must want it.
      await assertRefused(buy, [0n, closed.target, 'hi', { value: PRICE }], 'InvalidRecipient', [closed.target]);
      await assertRefused(buy, [0n, gift.target, 'hi', { value: PRICE }], 'InvalidRecipient', [gift.target]);
      const bought = await mine(buy, 0n, ben, 'x'.repeat(280), { value: PRICE });
      assertEvents(gift, bought, [
        ['Transfer', ZeroAddress, ben.address, 1],
        ['GiftBought', 1, 0, ann.address, ben.address, 'x'.repeat(280)],
      ]);
      await mineAll([[buy, 0n, ann, '', { value: PRICE }], [buy, 0n, open.target, '', { value: PRICE }]]);
      await assertRefused(buy, [0n, ann, '', { value: PRICE }], 'SoldOut', [0n, 3n]);
      assertEqual([await gift.balanceOf(ann), await gift.balanceOf(ben), await gift.ownerOf(3n), await gift.totalSupply()].join(), [1, 1, open.target, 3].join(), 'owners');
      assertEqual(await gift.tokenURI(1n), 'ipfs://rose', 'uri');
      await assertRefused(gift.tokenURI, [4n], 'UnknownToken', [4n]);
      await assertRefused(gift.balanceOf, [ZeroAddress], 'InvalidOwner', [ZeroAddress]);
    },

    'the streamer withdraws all, once': async () => {
      assertEqual(await gift.earnings(streamer), 3n * PRICE, 'earnings');
      assertEqual(await kit.balance(gift.target), 3n * PRICE, 'held');
      const { withdraw } = gift.connect(streamer);
      await assertRefused(withdraw, [closed.target], 'PaymentFailed', [closed.target, 3n * PRICE]);
      await assertRefused(gift.connect(ann).withdraw, [ann], 'NothingToWithdraw', [ann.address]);
      const to = kit.party().address;
      const before = await kit.balance(to);
      assertEvents(gift, await mine(withdraw, to), [['Withdrawn', streamer.address, to, 3n * PRICE]]);
      assertEqual((await kit.balance(to)) - before, 3n * PRICE, 'received');
      assertEqual(await kit.balance(gift.target), 0n, 'left');
      await assertRefused(withdraw, [to], 'NothingToWithdraw', [streamer.address]);
    },

    'a receiver that asks again while it is paid gets nothing more': async () => {
      // `open` is the streamer of a kind of its own and withdraws to itself.
      const calldata = (name, args) => gift.interface.encodeFunctionData(name, args);
      await mineAll([
        [open.act, gift.target, calldata('offer', [PRICE, 9, ''])],
        [open.arm, gift.target, calldata('withdraw', [open.target])],
      ]);
      const kind = (await gift.kindCount()) - 1n;
      await mine(gift.connect(ann).buy, kind, ann, '', { value: PRICE });
      await mine(open.act, gift.target, calldata('withdraw', [open.target]));
      assertEqual([await open.reentries(), await open.refused()].join(), '0,1', 'it came back once, in vain');
      assertEqual(await kit.balance(open.target), PRICE, 'what it got');
      assertEqual(await gift.earnings(open.target), 0n, 'what is left to it');
    },

    'transfers: who may, and to whom': async () => {
      const [byAnn, byBen] = [gift.connect(ann), gift.connect(ben)];
      await assertRefused(byAnn.transferFrom, [ben, ann, 1n], 'NotOwnerNorApproved', [ann.address, 1n]);
      await assertRefused(byBen.transferFrom, [ann, ben, 1n], 'WrongOwner', [ann.address, 1n]);
      await assertRefused(byBen.transferFrom, [ben, ZeroAddress, 1n], 'InvalidRecipient', [ZeroAddress]);
      await assertRefused(byBen.transferFrom, [ben, ann, 99n], 'UnknownToken', [99n]);
      await assertRefused(byBen[SAFE], [ben, closed.target, 1n], 'InvalidRecipient', [closed.target]);
      await assertRefused(byAnn.approve, [ann, 1n], 'NotOwnerNorApproved', [ann.address, 1n]);
      // An approval is for one transfer; an operator may always.
      assertEvents(gift, await mine(byBen.approve, ann, 1n), [['Approval', ben.address, ann.address, 1]]);
      assertEqual(await gift.getApproved(1n), ann.address, 'approved');
      assertEvents(gift, await mine(byAnn[SAFE], ben, streamer, 1n), [['Transfer', ben.address, streamer.address, 1]]);
      assertEqual(await gift.getApproved(1n), ZeroAddress, 'used up');
      await assertRefused(byAnn.transferFrom, [streamer, ann, 1n], 'NotOwnerNorApproved', [ann.address, 1n]);
      assertEvents(gift, await mine(gift.connect(streamer).setApprovalForAll, ann, true), [['ApprovalForAll', streamer.address, ann.address, true]]);
      const withData = byAnn['safeTransferFrom(address,address,uint256,bytes)'];
      await mine(withData, streamer, open.target, 1n, '0x1234');
      assertEqual(await gift.ownerOf(1n), open.target, 'owner');
      assertEqual([await gift.balanceOf(streamer), await gift.balanceOf(open.target)].join(), '0,2', 'balances');
    },

    'a closed kind is not sold': async () => {
      await mine(gift.connect(streamer).offer, 1n, 5, '');
      const kind = (await gift.kindCount()) - 1n;
      await assertRefused(gift.connect(ann).close, [kind], 'NotStreamer', [ann.address]);
      assertEvents(gift, await mine(gift.connect(streamer).close, kind), [['KindClosed', kind]]);
      await assertRefused(gift.connect(ann).buy, [kind, ann, '', { value: 1n }], 'KindIsClosed', [kind]);
      assert(!(await gift.kindInfo(kind)).open, 'closed');
      kit.provider.destroy();
    },
  };
}
