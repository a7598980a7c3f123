//! Evidence: what contradicts and what does not, round trips, limits.

use vigil_primitives::*;

fn domain() -> SignDomain {
    SignDomain { chain_id: "a chain".into(), genesis_hash: Hash::ZERO }
}

fn vote(height: Height, block: u8, source: Height) -> Vote {
    Vote {
        height,
        block_hash: Hash::repeat_byte(block),
        block_epoch: height,
        source_set: 0,
        source_height: source,
        source_hash: Hash::repeat_byte(9),
        voter: Address::repeat_byte(1),
        signature: Signature::from([3; 65]),
    }
}

fn header(epoch: Epoch, height: Height, salt: u64) -> BlockHeader {
    let (chain_id, proposer) = ("a chain".to_owned(), Address::repeat_byte(2));
    BlockHeader { chain_id, epoch, height, timestamp: salt, proposer, ..BlockHeader::default() }
}

fn aggregate(resets: u64, height: Height, block: u8) -> AggregatedVotes {
    let checkpoint = Checkpoint { resets, height, block_hash: Hash::repeat_byte(block), set_hash: Hash::ZERO };
    AggregatedVotes { checkpoint, signers: vec![0, 0x80].into(), signature: BlsSignatureBytes::repeat_byte(7) }
}

fn guardians(a: AggregatedVotes, b: AggregatedVotes) -> Evidence {
    Evidence::GuardianDoubleVote(Address::repeat_byte(4), Box::new((a, b)))
}

fn lie(source: Hash) -> Evidence {
    let header = header(3, 3, 0);
    let vote = Vote { block_hash: header.hash(), source_hash: source, ..vote(3, 0, 2) };
    Evidence::SourceLie(vote, Box::new(header))
}

fn samples() -> Vec<Evidence> {
    vec![
        Evidence::DoubleProposal(header(5, 4, 1), header(5, 6, 2)),
        Evidence::DoubleVote(vote(4, 1, 2), vote(4, 2, 2)),
        Evidence::SurroundVote(vote(7, 1, 1), vote(6, 2, 2)),
        lie(Hash::repeat_byte(1)),
        guardians(aggregate(0, 10, 1), aggregate(0, 10, 2)),
    ]
}

#[test]
fn every_kind_round_trips() {
    let (heights, roles): (Vec<_>, Vec<_>) = samples().iter().map(|e| (e.height(), e.role())).unzip();
    assert_eq!(heights, [6, 4, 7, 3, 10]);
    assert_eq!(roles[..4], [StakePurpose::Validator; 4]);
    assert_eq!(roles[4], StakePurpose::Guardian);
    for evidence in samples() {
        let bytes = evidence.to_bytes();
        assert_eq!(Evidence::from_bytes(&bytes), Ok(evidence.clone()));
        assert_eq!(evidence.check_contradiction(&domain()), Ok(()));
        let longer = [&bytes[..], &[0]].concat();
        assert!(matches!(Evidence::from_bytes(&longer), Err(RlpError::Trailing { .. })));
        assert!(Evidence::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
    assert!(Evidence::from_bytes(&[]).is_err() && Evidence::from_bytes(&[6, 0xc0]).is_err());
}

/// One block at one height, over different sources or of different epochs: who lies about them may hide a surround vote.
#[test]
fn two_votes_for_one_block_contradict_if_they_differ() {
    let vote = vote(4, 1, 2);
    let others = [
        Vote { source_height: 1, ..vote.clone() },
        Vote { source_set: 1, ..vote.clone() },
        Vote { source_hash: Hash::repeat_byte(8), ..vote.clone() },
        Vote { block_epoch: 5, ..vote.clone() },
    ];
    for other in others {
        let evidence = Evidence::DoubleVote(vote.clone(), other);
        assert_eq!(evidence.check_contradiction(&domain()), Ok(()), "{evidence:?}");
    }
}

/// What honest nodes do, as far as it looks like a fault.
#[test]
fn near_misses_prove_nothing() {
    let other_voter = Vote { voter: Address::repeat_byte(8), ..vote(4, 2, 2) };
    let other_proposer = BlockHeader { proposer: Address::repeat_byte(8), ..header(5, 4, 2) };
    let repeated = Vote { signature: Signature::from([5; 65]), ..vote(4, 1, 2) };
    let cases = [
        ("epochs differ at one height", Evidence::DoubleProposal(header(5, 4, 1), header(6, 4, 1))),
        ("one header", Evidence::DoubleProposal(header(5, 4, 1), header(5, 4, 1))),
        ("two proposers", Evidence::DoubleProposal(header(5, 4, 1), other_proposer)),
        ("one body with two signatures", Evidence::DoubleVote(vote(4, 1, 2), repeated)),
        ("heights differ", Evidence::DoubleVote(vote(4, 1, 2), vote(5, 2, 2))),
        ("two voters", Evidence::DoubleVote(vote(4, 1, 2), other_voter.clone())),
        ("the wrong way round", Evidence::SurroundVote(vote(6, 2, 2), vote(7, 1, 1))),
        ("the same source", Evidence::SurroundVote(vote(7, 1, 2), vote(6, 2, 2))),
        ("the same target", Evidence::SurroundVote(vote(6, 1, 1), vote(6, 2, 2))),
        ("two voters, surrounding", Evidence::SurroundVote(vote(7, 1, 1), other_voter)),
        ("the true source", lie(BlockHeader::default().hcc.block_hash)),
        ("another block", Evidence::SourceLie(vote(3, 1, 2), Box::new(header(3, 3, 0)))),
        ("the same checkpoint", guardians(aggregate(0, 10, 1), aggregate(0, 10, 1))),
        ("two checkpoints", guardians(aggregate(0, 10, 1), aggregate(0, 20, 2))),
        ("a reset between", guardians(aggregate(0, 10, 1), aggregate(1, 10, 2))),
    ];
    for (what, evidence) in cases {
        assert_eq!(evidence.check_contradiction(&domain()), Err(EvidenceError::NoContradiction), "{what}");
    }
    for evidence in [&samples()[0], &samples()[3]] {
        let refused = evidence.check_contradiction(&SignDomain { chain_id: "another".into(), ..domain() });
        assert!(matches!(refused, Err(EvidenceError::OtherChain { .. })), "{refused:?}");
        let refused = evidence.check_contradiction(&SignDomain { genesis_hash: Hash::repeat_byte(1), ..domain() });
        assert!(matches!(refused, Err(EvidenceError::OtherGenesis { .. })), "{refused:?}");
    }
}

#[test]
fn every_signature_is_asked_for() {
    let domain = domain();
    let mut all = samples();
    // A later block proves its chain by a vote in its HCC, which has the genesis in it.
    let hcc = Hcc { votes: vec![vote(3, 5, 2), vote(3, 5, 2)], block_hash: Hash::repeat_byte(5) };
    all.push(Evidence::DoubleProposal(header(5, 4, 1), BlockHeader { hcc, ..header(5, 6, 2) }));
    for (evidence, signatures) in all.iter().zip([2, 2, 2, 1, 0, 3]) {
        let signed = evidence.signed(&domain);
        assert_eq!(signed.len(), signatures);
        assert_eq!(evidence.verify(&domain, |_, _, _| true), Ok(()));
        for (signer, forged, _) in signed {
            let refused = evidence.verify(&domain, |_, digest, _| *digest != forged);
            assert_eq!(refused, Err(EvidenceError::Signature(signer)));
        }
    }
}

/// The largest headers and votes that are decoded fit; a byte more than the limit does not.
#[test]
fn the_limit_of_size() {
    let mut votes = aggregate(0, 10, 1);
    votes.signers = vec![1; SIGNER_VECTOR_BYTES_MAX].into();
    let large = |salt| BlockHeader {
        chain_id: "x".repeat(CHAIN_ID_BYTES_MAX),
        hcc: Hcc { votes: vec![vote(u64::MAX, 1, u64::MAX); VALIDATORS_MAX], block_hash: Hash::ZERO },
        signature: Signature::from([1; 65]),
        finality: Some(Box::new(votes.clone())),
        ..header(u64::MAX, u64::MAX, salt)
    };
    let rival = AggregatedVotes { checkpoint: aggregate(0, 10, 2).checkpoint, ..votes.clone() };
    for evidence in [Evidence::DoubleProposal(large(1), large(2)), guardians(votes.clone(), rival)] {
        let bytes = evidence.to_bytes();
        assert!(bytes.len() <= EVIDENCE_BYTES_MAX, "{}", bytes.len());
        assert_eq!(Evidence::from_bytes(&bytes), Ok(evidence));
    }
    for (length, too_long) in [(EVIDENCE_BYTES_MAX, false), (EVIDENCE_BYTES_MAX + 1, true)] {
        let refused = Evidence::from_bytes(&vec![1; length]);
        assert_eq!(matches!(refused, Err(RlpError::TooLong { .. })), too_long, "{length}");
    }
}
