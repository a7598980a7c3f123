//! What contracts see of the block and the chain.

use super::*;
use script::Asm;

/// What the opcode gives.
fn read(chain: &mut Chain, opcode: u8) -> U256 {
    let contract = chain.deploy(&Asm::default().ops(&[opcode]).give().done());
    U256::from_be_slice(&chain.call(contract, Vec::new()).output)
}

#[test]
fn the_block() {
    let mut chain = chain();
    assert_eq!(read(&mut chain, 0x41), U256::from_be_slice(address(1).as_slice()), "COINBASE: the proposer");
    let contract = chain.deploy(&Asm::default().ops(&[0x44]).give().done());
    let parent = chain.head_hash;
    assert_eq!(chain.call(contract, Vec::new()).output.as_ref(), parent.as_slice(), "PREVRANDAO: the parent's hash");
    assert_eq!(read(&mut chain, 0x43), U256::from(chain.head.height), "NUMBER");
    assert_eq!(read(&mut chain, 0x42), U256::from(chain.head.timestamp), "TIMESTAMP: the block's");
    assert_eq!(read(&mut chain, 0x45), U256::from(60_000_000), "GASLIMIT");
    assert_eq!(read(&mut chain, 0x48), U256::from(PRICE), "BASEFEE");
    assert_eq!(read(&mut chain, 0x46), U256::from(366), "CHAINID");
    assert_eq!(read(&mut chain, 0x4a), U256::from(1), "BLOBBASEFEE: there are no blobs");
}

#[test]
fn a_chain_id_of_256_bits() {
    let mut chain = Chain::new(ChainParams { chain_id: "a chain of nobody".into(), ..params() }, 1);
    let number = U256::from_be_bytes(keccak256("a chain of nobody").0).wrapping_add(U256::from(360));
    assert!(number.bit_len() > 64);
    assert_eq!(read(&mut chain, 0x46), number);
    let mut old = Chain::new(ChainParams { evm_fork: "petersburg".into(), ..params() }, 1);
    let contract = old.deploy(&Asm::default().ops(&[0x46]).give().done());
    let receipt = old.send_call(1, Some(contract), Coins::ZERO, Vec::new());
    assert_eq!((receipt.success, &*receipt.error), (false, "invalid opcode"), "CHAINID came with Istanbul");
}

#[test]
fn hashes_of_blocks() {
    let mut chain = chain();
    let code = Asm::default().push(U256::ZERO).ops(&[0x35, 0x40]).give().done();
    let contract = chain.deploy(&code);
    chain.run_to(259);
    let known = |height: u64, chain: &Chain| U256::from_be_bytes(chain.history.0[height as usize].0);
    for (back, is_known) in [(1u64, true), (2, true), (255, true), (256, true), (257, false), (0, false)] {
        let height = chain.head.height + 1 - back;
        let expected = if is_known { known(height, &chain) } else { U256::ZERO };
        let output = chain.call(contract, U256::from(height).to_be_bytes::<32>().to_vec()).output;
        assert_eq!(U256::from_be_slice(&output), expected, "{back} back");
    }
    for future in [U256::from(1_000_000), U256::from(u64::MAX), U256::MAX] {
        assert_eq!(chain.call(contract, future.to_be_bytes::<32>().to_vec()).output.as_ref(), [0; 32], "{future}");
    }
}

#[test]
fn an_ancestor_that_is_not_known_is_the_nodes_fault() {
    let mut chain = chain();
    let contract = chain.deploy(&Asm::default().push(U256::from(1)).ops(&[0x40]).give().done());
    chain.run_to(4);
    let tx = Call::new(1, 2, Some(contract), Vec::new()).sign(&chain.params);
    let mut view = chain.view();
    let header = chain.header();
    let contracts = crate::contracts::Contracts::new(&chain.params, &header, &crate::NoAncestors);
    let context = crate::tx::Context::new(&chain.params, &chain.proofs, &tx, header.height);
    match crate::tx::apply(&mut view, crate::tx::Runner::Block(&contracts), &context) {
        Err(crate::ApplyError::State(crate::StateError::Ancestor { height: 1, .. })) => {}
        other => panic!("{other:?}"),
    }
}
