//! The steps of the host program, by hand: items in, kernels one after another, answers out.

use crate::backends::portable::Portable;
use crate::field::Packed;
use crate::gpu::card::{Buffer, Card, Fault, Kernel, Lane, Launch, PARAMS};
use crate::gpu::wgpu::device::Wgpu;
use crate::ops::{Claim, PublicKey, Signed};
use crate::secp::comb::comb_of;
use crate::secp::curve::{GX, GY};
use crate::secp::order::Order;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use vigil_crypto::SecretKey;

pub(super) const SEEDS: [u32; 2] = [0x1234_5678, 0x9abc_def0];
const LIMIT: Duration = Duration::from_secs(120);
/// What is in buffers before.
const UNTOUCHED: u32 = 0xdead_beef;
/// Items of which nothing may be touched, behind those of a launch.
const SPARE: usize = 3;

/// Words of a number, the lowest first.
pub(super) fn halves(words: &[u64]) -> impl Iterator<Item = u32> {
    words.iter().flat_map(|word| [*word as u32, (word >> 32) as u32])
}

/// Bytes, four a word.
pub(super) fn packed(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks(4).map(|chunk| chunk.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))).collect()
}

/// The bytes of words.
pub(super) fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn table_words(points: &[Packed]) -> Vec<u32> {
    points.iter().flat_map(|point| halves(&point.0)).collect()
}

static TABLE_OF_G: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let g = Packed([GX[0], GX[1], GX[2], GX[3], GY[0], GY[1], GY[2], GY[3]]);
    table_words(&comb_of(Portable, &[g], 13, 20)[0])
});

/// Tables of keys, one behind the other.
pub(super) fn tables_of(keys: &[PublicKey]) -> Vec<u32> {
    let points: Vec<_> = keys.iter().map(|key| Packed(key.to_words())).collect();
    comb_of(Portable, &points, 8, 32).iter().flat_map(|table| table_words(table)).collect()
}

/// The point at which sums begin, and what it adds to the factors of G.
pub(super) fn start_words(secret: &SecretKey) -> Vec<u32> {
    let log = Order::from_be(&secret.to_bytes()).expect("below n");
    let doubled = log.mul(Order::reduce([0, 0, 1, 0]));
    let mut words: Vec<u32> = halves(&secret.public_key().to_words()).collect();
    words.extend(halves(&doubled.neg().words()).chain(halves(&log.neg().words())));
    words
}

/// The row of a signature: digest, r, s, v.
pub(super) fn row(signed: &Signed) -> Vec<u32> {
    let mut row = packed(&signed.digest.0);
    row.extend(packed(&signed.signature[..64]));
    row.push(signed.signature[64].into());
    row
}

/// The row of a claim.
pub(super) fn claim_row(claim: &Claim) -> Vec<u32> {
    let mut row = row(&claim.signed);
    row.extend(packed(&claim.key.0));
    row
}

/// A lane with what sums need.
pub(super) struct Bench {
    card: Arc<dyn Card>,
    lane: Box<dyn Lane>,
    table_of_g: Buffer,
    start: Buffer,
}

/// The last kernel, and so the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    WhoSigned,
    /// The first word of the address alone.
    SignerAddress,
    DidThisKey,
    /// With the tables.
    DidTable,
}

impl Bench {
    pub(super) fn new(card: &Arc<Wgpu>, start: &SecretKey) -> Self {
        let shared = Arc::clone(card) as Arc<dyn Card>;
        let mut lane = Arc::clone(&shared).lane().expect("a lane");
        let table_of_g = Buffer::new(&shared, TABLE_OF_G.len()).expect("room");
        lane.write(&table_of_g, 0, &TABLE_OF_G).expect("written");
        let start_words = start_words(start);
        let start = Buffer::new(&shared, start_words.len()).expect("room");
        lane.write(&start, 0, &start_words).expect("written");
        Self { card: shared, lane, table_of_g, start }
    }

    pub(super) fn room(&mut self, words: &[u32]) -> Buffer {
        let buffer = Buffer::new(&self.card, words.len()).expect("room");
        self.lane.write(&buffer, 0, words).expect("written");
        buffer
    }

    pub(super) fn launch(&mut self, kernel: Kernel, threads: usize, buffers: &[&Buffer], params: [u32; PARAMS]) {
        self.lane.launch(&Launch { kernel, threads, buffers, params }).expect("launched");
    }

    pub(super) fn read(&mut self, buffer: &Buffer) -> Vec<u32> {
        self.read_within(buffer, LIMIT).expect("read")
    }

    pub(super) fn read_within(&mut self, buffer: &Buffer, limit: Duration) -> Result<Vec<u32>, Fault> {
        self.lane.read(buffer, 0..buffer.words(), limit)
    }

    /// Answers without their tags, which must be right, a row an item.
    pub(super) fn secp(
        &mut self,
        question: Question,
        rows: &[Vec<u32>],
        tables: &[u32],
        inverters: u32,
    ) -> Vec<Vec<u32>> {
        let (mode, width, last) = match question {
            Question::WhoSigned => (0, 24, Kernel::RecoverFinish),
            Question::SignerAddress => (0, 8, Kernel::SignerFinish),
            Question::DidThisKey => (1, 4, Kernel::KnownFinish),
            Question::DidTable => (2, 4, Kernel::KnownFinish),
        };
        let (count, stride) = (rows.len(), rows.len() + SPARE);
        let items = self.room(&rows.concat());
        let [state, prefixes, answers] = [25, 8, width].map(|words| self.room(&vec![UNTOUCHED; words * stride]));
        let tables = self.room(if mode == 2 { tables } else { &[0] });
        let mut params = [0; PARAMS];
        params[..4].copy_from_slice(&[count as u32, stride as u32, mode, rows[0].len() as u32]);
        params[4] = (tables.words() / 65_536) as u32;
        [params[14], params[15]] = SEEDS;
        let mut invert = params;
        invert[2] = inverters;

        let Self { lane, table_of_g, start, .. } = self;
        let mut run = |kernel, threads: u32, buffers: &[&Buffer], params| {
            lane.launch(&Launch { kernel, threads: threads as usize, buffers, params }).expect("launched");
        };
        run(Kernel::SecpPrepare, count as u32, &[&items, &state], params);
        run(Kernel::InvertOrder, inverters, &[&state, &prefixes], invert);
        match mode {
            2 => run(Kernel::SecpSumHot, count as u32, &[&items, &state, table_of_g, start, &tables], params),
            _ => run(Kernel::SecpSum, count as u32, &[&items, &state, table_of_g, start], params),
        }
        run(Kernel::InvertField, inverters, &[&state, &prefixes], invert);
        run(last, count as u32, &[&items, &state, &answers], params);
        let words = self.read(&answers);
        assert!(words[count * width..].iter().all(|word| *word == UNTOUCHED), "answers of no item");
        let answers = rows.iter().zip(words.chunks(width));
        (0..).zip(answers).map(|(item, (asked, row))| untagged(item, asked, row)).collect()
    }
}

/// A row of answers without its tag, which must be right for what was asked.
pub(super) fn untagged(item: u32, asked: &[u32], row: &[u32]) -> Vec<u32> {
    let (words, tag) = row.split_at(row.len() - 2);
    let want = SEEDS.map(|seed| {
        asked.iter().chain(words).fold(seed ^ item.wrapping_mul(0x85eb_ca6b), |before, word| {
            let h = (before ^ word).wrapping_mul(0x9e37_79b1);
            h ^ h >> 15
        })
    });
    assert_eq!(tag, want, "the tag of item {item}");
    words.to_vec()
}
