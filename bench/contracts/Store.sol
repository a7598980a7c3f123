// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.0;

/// Words all over a large storage: a third new, a third changed, a third only read.
contract Store {
    mapping(uint256 => uint256) public words;
    uint256 public sum;

    function fill(uint256 from, uint256 count) external {
        for (uint256 i = 0; i < count; i++) words[from + i] = from + i + 1;
    }

    function run(uint256 seed, uint256 count, uint256 old) external {
        uint256 read = 0;
        for (uint256 i = 0; i < count; i++) {
            uint256 place = uint256(keccak256(abi.encode(seed, i)));
            read ^= words[place % old];
            words[(place >> 64) % old] = place;
            words[place] = i + 1;
        }
        sum = read | 1;
    }
}
