// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// Ranks relays by the bytes they have relayed and names the bonus that goes with each rank.
///
/// A reporter, for example the operator of a stream, turns off-chain receipts into reports. A receipt is cumulative per
/// (relay, resource), as service payments are, so that a lost report is made good by the next one and a replayed one is refused.
contract LoyaltyTier {
    struct Tier {
        uint128 threshold; // bytes relayed in all, from which on the tier is held
        uint16 bonusBps; // bonus on the relay's earnings in basis points, at most 10,000
    }

    struct Receipt {
        address relay;
        bytes32 resource; // hash of the resource id
        uint64 cumulative; // bytes of this resource relayed so far
    }

    uint256 public constant TIERS_MAX = 16;
    uint256 public constant RECEIPTS_MAX = 256;
    uint256 private constant BPS = 10_000;

    address public owner;
    address public pendingOwner;
    mapping(address => bool) public isReporter;

    Tier[] private _tiers;
    mapping(address => uint128) public relayedBytes;
    mapping(bytes32 => uint128) public resourceBytes;
    mapping(address => mapping(bytes32 => uint64)) public lastReceipt;

    event ReporterSet(address indexed reporter, bool allowed);
    event BytesReported(address indexed relay, bytes32 indexed resource, uint64 cumulative, uint64 added);
    event TierReached(address indexed relay, uint256 from, uint256 to);
    event OwnershipOffered(address indexed from, address indexed to);
    event OwnershipTaken(address indexed from, address indexed to);

    error NotOwner(address caller);
    error NotPendingOwner(address caller);
    error NotReporter(address caller);
    error BadTiers(uint256 index);
    error BadBatch(uint256 count);
    error StaleReceipt(address relay, bytes32 resource, uint64 got, uint64 last);

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyReporter() {
        if (!isReporter[msg.sender]) revert NotReporter(msg.sender);
        _;
    }

    /// `tiers`: thresholds strictly ascending and above zero. A relay below the first is in tier 0, the last is tier `tiers.length`.
    constructor(Tier[] memory tiers) {
        if (tiers.length == 0 || tiers.length > TIERS_MAX) revert BadTiers(tiers.length);
        uint128 below = 0;
        for (uint256 i = 0; i < tiers.length; i++) {
            if (tiers[i].threshold <= below || tiers[i].bonusBps > BPS) revert BadTiers(i);
            below = tiers[i].threshold;
            _tiers.push(tiers[i]);
        }
        owner = msg.sender;
        emit OwnershipTaken(address(0), msg.sender);
    }

    function setReporter(address reporter, bool allowed) external onlyOwner {
        isReporter[reporter] = allowed;
        emit ReporterSet(reporter, allowed);
    }

    /// Ownership moves in two steps, so that a mistyped address cannot take it away for good.
    function offerOwnership(address to) external onlyOwner {
        pendingOwner = to;
        emit OwnershipOffered(msg.sender, to);
    }

    function takeOwnership() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner(msg.sender);
        emit OwnershipTaken(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }

    function report(address relay, bytes32 resource, uint64 cumulative) external onlyReporter {
        _report(relay, resource, cumulative);
    }

    /// All or none: one stale receipt refuses the batch.
    function reportMany(Receipt[] calldata receipts) external onlyReporter {
        if (receipts.length == 0 || receipts.length > RECEIPTS_MAX) revert BadBatch(receipts.length);
        for (uint256 i = 0; i < receipts.length; i++) {
            _report(receipts[i].relay, receipts[i].resource, receipts[i].cumulative);
        }
    }

    function tierCount() external view returns (uint256) {
        return _tiers.length;
    }

    /// Tier `index`, from 1 to `tierCount()`.
    function tier(uint256 index) external view returns (Tier memory) {
        if (index == 0 || index > _tiers.length) revert BadTiers(index);
        return _tiers[index - 1];
    }

    function tierOf(address relay) public view returns (uint256) {
        return _tierAt(relayedBytes[relay]);
    }

    /// The bonus on `amount` that the relay's tier is worth, rounded down.
    function bonusOn(address relay, uint256 amount) external view returns (uint256) {
        uint256 held = tierOf(relay);
        return held == 0 ? 0 : amount * _tiers[held - 1].bonusBps / BPS;
    }

    /// Bytes until the next tier; 0 in the highest one.
    function bytesToNextTier(address relay) external view returns (uint128) {
        uint256 held = tierOf(relay);
        return held == _tiers.length ? 0 : _tiers[held].threshold - relayedBytes[relay];
    }

    function _report(address relay, bytes32 resource, uint64 cumulative) private {
        uint64 last = lastReceipt[relay][resource];
        if (cumulative <= last) revert StaleReceipt(relay, resource, cumulative, last);
        uint64 added = cumulative - last;
        uint128 before = relayedBytes[relay];
        lastReceipt[relay][resource] = cumulative;
        relayedBytes[relay] = before + added;
        resourceBytes[resource] += added;
        emit BytesReported(relay, resource, cumulative, added);
        (uint256 from, uint256 to) = (_tierAt(before), _tierAt(before + added));
        if (from != to) emit TierReached(relay, from, to);
    }

    function _tierAt(uint128 relayed) private view returns (uint256 held) {
        while (held < _tiers.length && relayed >= _tiers[held].threshold) held++;
    }
}
