// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.0;

/// Arithmetic, memory and hashing; no storage.
contract Compute {
    function run(uint256 rounds) external pure returns (uint256 x) {
        x = rounds + 1;
        uint256 modulus = type(uint256).max - 188;
        for (uint256 i = 0; i < rounds; i++) {
            unchecked {
                x = mulmod(x, x + i, modulus) ^ (x >> 7);
            }
            if (i & 15 == 0) x = uint256(keccak256(abi.encode(x, i)));
        }
    }
}
