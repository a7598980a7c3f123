//! What a trie does beside giving roots: reads little, hashes by levels, survives failures, keeps copies apart.

use super::{Disk, Map, build, entries};
use crate::{BatchHasher, EMPTY_ROOT, Hash, KEY_BYTES_MAX, NoNodes, ScalarHasher, Trie, TrieError, verify_proof};
use alloy_primitives::keccak256;
use std::cell::RefCell;

fn accounts(count: u32) -> Map {
    let key = |i: u32| [b"ls/a/", &keccak256(i.to_be_bytes())[..20]].concat();
    (0..count).map(|i| (key(i), format!("account number {i}, with a body of usual length").into_bytes())).collect()
}

/// Remembers the size of every batch.
#[derive(Default)]
struct Counting(RefCell<Vec<usize>>);

impl BatchHasher for Counting {
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
        self.0.borrow_mut().push(messages.len());
        assert!(messages.iter().all(|m| m.len() >= 32), "shorter nodes stand in their parents");
        ScalarHasher.keccak256_batch(messages)
    }
}

#[test]
fn empty_trie() {
    let mut trie = Trie::empty();
    assert_eq!(EMPTY_ROOT, keccak256([0x80]));
    assert_eq!(trie.root(), Some(EMPTY_ROOT));
    assert!(Trie::open(EMPTY_ROOT).is_empty());
    assert_eq!(trie.get(&NoNodes, b"ls/vcp").expect("empty"), None);
    assert_eq!(trie.remove(&NoNodes, b"").expect("empty"), None);
    assert_eq!(trie.iter(&NoNodes, b"", b"").count(), 0);
    let commit = trie.commit(&ScalarHasher);
    assert_eq!((commit.root, commit.nodes.len()), (EMPTY_ROOT, 0));
}

#[test]
fn commit_hashes_in_batches_and_lists_children_first() {
    let mut trie = build(&accounts(2000));
    let counting = Counting::default();
    let commit = trie.commit(&counting);
    let batches = counting.0.into_inner();
    assert_eq!(batches.iter().sum::<usize>(), commit.nodes.len());
    assert!(batches.len() <= 32, "{batches:?}");
    assert!(batches.iter().all(|&count| count < 512), "{batches:?}");
    assert_eq!(&batches[batches.len() - 2..], [1, 1], "a branch under the extension of the shared prefix");
    assert_eq!(commit.nodes.last().map(|(hash, _)| *hash), Some(commit.root));
    // Every 32 byte run that is the hash of a listed node is of one listed before.
    let place: std::collections::HashMap<_, _> = commit.nodes.iter().enumerate().map(|(i, (h, _))| (*h, i)).collect();
    for (i, (_, raw)) in commit.nodes.iter().enumerate() {
        assert!(raw.windows(32).filter_map(|w| place.get(&Hash::from_slice(w))).all(|&child| child < i));
    }
}

#[test]
fn committed_nodes_stay_in_memory_until_trimmed() {
    let map = accounts(500);
    let mut disk = Disk::default();
    let mut trie = build(&map);
    let root = disk.commit(&mut trie);
    for key in map.keys() {
        trie.insert(&disk, key, b"another value that is long enough to be hashed".to_vec()).expect("in memory");
    }
    let changed = disk.commit(&mut trie);
    assert_ne!(changed, root);
    assert_eq!(disk.reads.get(), 0, "nothing is read again");

    trie.trim(2); // the extension and the first branch stay
    assert_eq!(trie.root(), Some(changed));
    let key = map.keys().next().expect("some");
    assert!(trie.get(&disk, key).expect("stored").is_some());
    let after_trim = disk.reads.get();
    assert!((1..=4).contains(&after_trim), "{after_trim} reads");
    assert!(trie.clone().get(&disk, key).expect("stored").is_some());
    assert_eq!(disk.reads.get(), after_trim, "a copy finds what the other has read");
    trie.trim(0);
    assert_eq!(disk.commit(&mut trie), changed);
    assert!(trie.get(&disk, key).expect("stored").is_some());
    assert!(disk.reads.get() > after_trim + 1);
}

#[test]
fn trimming_keeps_changes() {
    let map = accounts(300);
    let mut disk = Disk::default();
    let mut trie = build(&map);
    disk.commit(&mut trie);
    let key = map.keys().nth(7).expect("some");
    trie.insert(&disk, key, b"changed".to_vec()).expect("in memory");
    let mut copy = trie.clone();
    copy.trim(0);
    assert_eq!(copy.get(&disk, key).expect("stored").expect("there").as_ref(), b"changed");
    assert_eq!(disk.commit(&mut copy), disk.commit(&mut trie));
}

#[test]
fn copies_are_apart() {
    let mut first = build(&accounts(50));
    let mut second = first.clone();
    second.insert(&NoNodes, b"ls/vcp", b"pool".to_vec()).expect("in memory");
    assert_eq!(first.get(&NoNodes, b"ls/vcp").expect("in memory"), None);
    assert_ne!(first.commit(&ScalarHasher).root, second.commit(&ScalarHasher).root);
    second.remove(&NoNodes, b"ls/vcp").expect("in memory");
    assert_eq!(second.commit(&ScalarHasher).root, first.commit(&ScalarHasher).root);
}

#[test]
fn removing_what_is_absent_changes_nothing() {
    let mut trie = build(&accounts(50));
    let root = trie.commit(&ScalarHasher).root;
    assert_eq!(trie.remove(&NoNodes, b"ls/a").expect("in memory"), None);
    trie.insert(&NoNodes, b"ls/b", Vec::new()).expect("in memory");
    assert_eq!(trie.root(), Some(root), "no hash is forgotten");
}

#[test]
fn a_missing_node_leaves_the_trie_as_it_was() {
    let map = accounts(200);
    let mut disk = Disk::default();
    let root = disk.commit(&mut build(&map));
    let hashes: Vec<Hash> = disk.nodes.keys().copied().collect();
    let mut failures = 0;
    for hash in hashes {
        let raw = disk.nodes.remove(&hash).expect("listed");
        let mut trie = Trie::open(root);
        for key in map.keys().take(40) {
            let before = trie.clone();
            let result = trie.remove(&disk, key).and_then(|_| trie.insert(&disk, key, map[key].clone()));
            if let Err(error) = result {
                assert!(matches!(error, TrieError::Missing { hash: missing } if missing == hash), "{error}");
                assert!(error.to_string().contains(&hash.to_string()));
                failures += 1;
                trie = before;
            }
        }
        assert_eq!(disk.commit(&mut trie), root);
        disk.nodes.insert(hash, raw);
    }
    assert!(failures > 0);
}

#[test]
fn a_failed_removal_keeps_the_content() {
    // Two leaves under a branch: removing one must read the other, which is not there.
    let map: Map = [(b"a1".to_vec(), vec![1; 40]), (b"a2".to_vec(), vec![2; 40])].into();
    let mut disk = Disk::default();
    let root = disk.commit(&mut build(&map));
    let other = disk.nodes.iter().find(|(_, raw)| raw.ends_with(&[2; 40])).map(|(hash, _)| *hash).expect("a leaf");
    let raw = disk.nodes.remove(&other).expect("listed");
    let mut trie = Trie::open(root);
    assert!(trie.remove(&disk, b"a1").is_err());
    disk.nodes.insert(other, raw);
    assert_eq!(entries(&trie, &disk, b"", b"").len(), 2);
    assert_eq!(disk.commit(&mut trie), root);
    trie.remove(&disk, b"a1").expect("stored again");
    assert_eq!(entries(&trie, &disk, b"", b""), [(b"a2".to_vec(), vec![2; 40])]);
}

#[test]
fn keys_up_to_the_limit_nest() {
    // Each key is a prefix of the next: as deep as a trie can be. On a thread with the stack of a tokio worker.
    let work = || {
        let mut trie = Trie::empty();
        for len in 0..=KEY_BYTES_MAX {
            trie.insert(&NoNodes, &vec![0x11; len], vec![7]).expect("within the limit");
        }
        let too_long = trie.insert(&NoNodes, &[0x11; KEY_BYTES_MAX + 1], vec![7]).expect_err("over the limit");
        assert!(matches!(too_long, TrieError::KeyTooLong { got: 1_089, max: KEY_BYTES_MAX }));
        let mut disk = Disk::default();
        let root = disk.commit(&mut trie);
        assert_eq!(entries(&Trie::open(root), &disk, b"", b"").len(), KEY_BYTES_MAX + 1);
        let key = [0x11; KEY_BYTES_MAX];
        let proof = trie.prove(&disk, &key).expect("committed");
        assert_eq!(verify_proof(&root, &key, &proof), Ok(Some(vec![7].into())));
        trie.trim(2 * KEY_BYTES_MAX);
        let mut again = Trie::open(root);
        for len in (0..=KEY_BYTES_MAX).rev() {
            again.remove(&disk, &vec![0x11; len]).expect("stored");
        }
        assert!(again.is_empty());
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).expect("a thread").join().expect("no overflow");
}

#[test]
fn the_deepest_trie_commits_on_a_small_stack() {
    // A node at every nibble of a key of the greatest length: below each branch another, or an extension and another.
    let keys = (0..=KEY_BYTES_MAX).map(|len| vec![0x11; len]);
    let forks = (0..KEY_BYTES_MAX).map(|len| [&vec![0x11; len][..], &[0x12]].concat());
    let work = || {
        let mut trie = Trie::empty();
        for key in keys.chain(forks) {
            trie.insert(&NoNodes, &key, vec![7; 40]).expect("within the limit");
        }
        let mut disk = Disk::default();
        let commit = std::thread::scope(|scope| {
            let small = std::thread::Builder::new().stack_size(1 << 20);
            small.spawn_scoped(scope, || trie.commit(&ScalarHasher)).expect("a thread").join().expect("no overflow")
        });
        assert!(commit.nodes.len() > 3 * KEY_BYTES_MAX, "{} nodes", commit.nodes.len());
        let root = disk.store(commit);
        assert_eq!(entries(&Trie::open(root), &disk, b"", b"").len(), 2 * KEY_BYTES_MAX + 1);
    };
    std::thread::Builder::new().stack_size(8 << 20).spawn(work).expect("a thread").join().expect("no overflow");
}

#[test]
fn walk_reads_only_what_it_needs() {
    let mut map = accounts(3000);
    map.insert(b"ls/vcp".to_vec(), vec![9; 40]);
    let mut disk = Disk::default();
    let root = disk.commit(&mut build(&map));
    let trie = Trie::open(root);
    assert_eq!(entries(&trie, &disk, b"ls/v", b""), [(b"ls/vcp".to_vec(), vec![9; 40])]);
    assert!(disk.reads.get() <= 4, "{} reads", disk.reads.get());
    let (start, _) = map.iter().nth(1500).expect("there");
    disk.reads.set(0);
    let page: Vec<_> = trie.iter(&disk, b"ls/a/", start).take(10).map(|e| e.expect("stored").0).collect();
    assert_eq!(page, map.keys().skip(1500).take(10).cloned().collect::<Vec<_>>());
    assert!(disk.reads.get() <= 40, "{} reads", disk.reads.get());
}

/// Hashes a few batches, then panics.
struct Failing(std::cell::Cell<usize>);

impl BatchHasher for Failing {
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
        assert_ne!(self.0.replace(self.0.get().wrapping_sub(1)), 0, "a planted failure");
        ScalarHasher.keccak256_batch(messages)
    }
}

#[test]
fn a_hasher_that_panics_leaves_copies_as_they_were() {
    let mut trie = Trie::empty();
    for i in 0..2_000u32 {
        trie.insert(&NoNodes, keccak256(i.to_be_bytes()).as_slice(), vec![7; 40]).expect("in memory");
    }
    let root = trie.clone().commit(&ScalarHasher).root;
    for batches in 0.. {
        let mut failed = trie.clone();
        let hasher = Failing(batches.into());
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| failed.commit(&hasher).root));
        assert_eq!(trie.clone().commit(&ScalarHasher).root, root, "after {batches} batches");
        match done {
            Ok(committed) => {
                assert!(batches > 3);
                assert_eq!(committed, root);
                return;
            }
            Err(_) => assert!(failed.is_empty()),
        }
    }
}
