// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// Splits all native coin that it ever receives among fixed payees by basis points; each payee's share is paid out on request.
///
/// Shares are counted from the balance, not from `receive`: a split rule of the ledger may name this contract, and a service
/// payment credits its account without running its code.
contract RoyaltySplitter {
    uint256 public constant PAYEES_MAX = 64;
    uint256 private constant BPS = 10_000;

    address[] private _payees;
    mapping(address => uint16) public shareBps;
    mapping(address => uint256) public released;
    uint256 public totalReleased;

    event PayeeAdded(address indexed payee, uint16 bps);
    event Received(address indexed from, uint256 amount);
    event Released(address indexed payee, uint256 amount);

    error BadPayeeCount(uint256 payees, uint256 shares);
    error BadPayee(address payee);
    error BadShares(uint256 sum);
    error NotPayee(address account);
    error NothingDue(address payee);
    error PaymentFailed(address payee, uint256 amount);

    /// `shares`: basis points, each above zero, 10,000 in all.
    constructor(address[] memory accounts, uint16[] memory shares) payable {
        if (accounts.length == 0 || accounts.length > PAYEES_MAX || accounts.length != shares.length) {
            revert BadPayeeCount(accounts.length, shares.length);
        }
        uint256 sum = 0;
        for (uint256 i = 0; i < accounts.length; i++) {
            address payee = accounts[i];
            // A payment to the contract itself would count as new income.
            if (payee == address(0) || payee == address(this) || shareBps[payee] != 0 || shares[i] == 0) revert BadPayee(payee);
            shareBps[payee] = shares[i];
            sum += shares[i];
            _payees.push(payee);
            emit PayeeAdded(payee, shares[i]);
        }
        if (sum != BPS) revert BadShares(sum);
    }

    receive() external payable {
        emit Received(msg.sender, msg.value);
    }

    /// Pays what is due to `payee`. Anyone may ask; only the payee is paid.
    function release(address payee) public returns (uint256 amount) {
        if (shareBps[payee] == 0) revert NotPayee(payee);
        amount = due(payee);
        if (amount == 0) revert NothingDue(payee);
        // The books are right before the payee's code runs.
        released[payee] += amount;
        totalReleased += amount;
        emit Released(payee, amount);
        (bool paid, ) = payee.call{value: amount}("");
        if (!paid) revert PaymentFailed(payee, amount);
    }

    /// What the payee could have now. Rounded down over all that was ever received: what rounding leaves, less than one wei a
    /// payee, stays in the contract and is part of the next share.
    function due(address payee) public view returns (uint256) {
        return totalReceived() * shareBps[payee] / BPS - released[payee];
    }

    function totalReceived() public view returns (uint256) {
        return address(this).balance + totalReleased;
    }

    function payees() external view returns (address[] memory) {
        return _payees;
    }
}
