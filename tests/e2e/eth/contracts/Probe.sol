// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// What a test needs to be refused in every way, and to be a nuisance.
contract Probe {
    error Refused(address who, uint256 code);

    event Noted(address indexed who, uint256 indexed number, string text);

    uint256 public number;
    uint256[] private _list;

    function note(uint256 value, string calldata text) external {
        number = value;
        emit Noted(msg.sender, value, text);
    }

    function failWithText() external pure {
        revert("the stream is over");
    }

    function failWithError(uint256 code) external view {
        revert Refused(msg.sender, code);
    }

    function failWithoutReason() external pure {
        revert();
    }

    function failByAssert() external view {
        assert(number > type(uint256).max - 1);
    }

    function failByDivision(uint256 by) external pure returns (uint256) {
        return 1 / by;
    }

    function failByIndex() external view returns (uint256) {
        return _list[7];
    }

    function invalid() external pure {
        assembly {
            invalid()
        }
    }

    function forever() external view returns (uint256 rounds) {
        while (number < type(uint256).max) rounds++;
    }

    function memoryBomb() external pure returns (bytes1) {
        bytes memory bomb = new bytes(1 << 40);
        return bomb[0];
    }

    /// Calls itself until the gas or the depth ends; answers how deep it came.
    function recurse(uint256 depth) external returns (uint256) {
        try this.recurse(depth + 1) returns (uint256 deepest) {
            return deepest;
        } catch {
            return depth;
        }
    }

    function callPrecompile(uint160 precompile, bytes calldata input, uint256 gas) external view returns (bool, bytes memory, uint256) {
        uint256 before = gasleft();
        (bool done, bytes memory output) = address(precompile).staticcall{gas: gas}(input);
        return (done, output, before - gasleft());
    }

    /// Makes `count` contracts that destroy themselves at once, in favour of the caller.
    function selfDestructStorm(uint256 count) external payable {
        for (uint256 i = 0; i < count; i++) new Spark{value: 1}(payable(msg.sender));
        number = count;
    }
}

contract Spark {
    constructor(address payable heir) payable {
        selfdestruct(heir);
    }
}

/// Takes gifts and coins, or not.
contract Taker {
    bool public open;
    address private _reenter;
    bytes private _with;
    uint256 public reentries;
    uint256 public refused;

    constructor(bool open_) {
        open = open_;
    }

    /// On the next coins that come in, calls `target` with `data`, once.
    function arm(address target, bytes calldata data) external {
        _reenter = target;
        _with = data;
    }

    function act(address target, bytes calldata data) external payable {
        (bool done, bytes memory reason) = target.call{value: msg.value}(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    receive() external payable {
        require(open, "closed");
        if (_reenter == address(0)) return;
        (bool done, ) = _reenter.call(_with);
        if (done) reentries++;
        else refused++;
    }

    function onERC721Received(address, address, uint256, bytes calldata) external view returns (bytes4) {
        return open ? this.onERC721Received.selector : bytes4(0xffffffff);
    }
}
