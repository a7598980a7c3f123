//! Launches by hand, as kernels/README.md says.

use super::functions::Words;
use crate::backends::portable::Portable;
use crate::comb::Comb;
use crate::gpu::card::{Buffer, Card, Kernel, Lane, Launch, PARAMS};
use crate::gpu::start::{Start, table_of_g, words_of_points};
use crate::gpu::twin::Twin;
use crate::secp::generator::Generator;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use vigil_crypto::SecretKey;

/// Seeds of tags.
pub(super) const SEEDS: [u32; 2] = [0x1234_5678, 0x9abc_def1];

static TABLE: LazyLock<Vec<u32>> = LazyLock::new(|| table_of_g(&Generator::new(Portable)));

/// What items are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Recover,
    Known,
    Hot,
}

/// A twin with the buffers that stay.
pub(super) struct Rig {
    card: Arc<dyn Card>,
    lane: Box<dyn Lane>,
    table: Buffer,
    start: Buffer,
    /// Threads that share the items of an inversion.
    pub(super) inverters: u32,
}

impl Rig {
    pub(super) fn new(start: &Start) -> Self {
        let twin = Twin::open();
        let lane = Arc::clone(&twin).lane().expect("a lane");
        let card: Arc<dyn Card> = twin;
        let table = Buffer::new(&card, TABLE.len()).expect("memory");
        let start_words = Buffer::new(&card, 32).expect("memory");
        let mut rig = Self { card, lane, table, start: start_words, inverters: 3 };
        rig.lane.write(&rig.table, 0, &TABLE).expect("written");
        rig.lane.write(&rig.start, 0, &start.words).expect("written");
        rig
    }

    pub(super) fn starting_at(key: &SecretKey) -> Self {
        Self::new(&Start::of(key))
    }

    pub(super) fn buffer(&self, words: usize) -> Buffer {
        Buffer::new(&self.card, words).expect("memory")
    }

    pub(super) fn filled(&mut self, words: &[u32]) -> Buffer {
        let buffer = self.buffer(words.len());
        self.lane.write(&buffer, 0, words).expect("written");
        buffer
    }

    pub(super) fn read(&mut self, buffer: &Buffer) -> Vec<u32> {
        self.lane.read(buffer, 0..buffer.words(), Duration::from_secs(1)).expect("read")
    }

    pub(super) fn write(&mut self, buffer: &Buffer, at: usize, words: &[u32]) {
        self.lane.write(buffer, at, words).expect("written");
    }

    /// With the parameters after the first, and the seeds.
    pub(super) fn launch(&mut self, kernel: Kernel, items: usize, buffers: &[&Buffer], more: &[u32]) {
        let mut params = [0; PARAMS];
        params[0] = items as u32;
        params[1..=more.len()].copy_from_slice(more);
        params[14..].copy_from_slice(&SEEDS);
        self.lane.launch(&Launch { kernel, threads: items, buffers, params }).expect("launched");
    }

    /// Preparation, sum and inversions of rows: items and state are left.
    pub(super) fn sums(&mut self, mode: Mode, rows: &[Vec<u32>], combs: &[&Comb]) -> (Buffer, Buffer, u32) {
        let (items, words) = (rows.len(), rows[0].len() as u32);
        // Columns are longer than what is in them.
        let stride = items as u32 + 5;
        let asked = self.filled(&rows.concat());
        let state = self.buffer(25 * stride as usize);
        let prefix = self.buffer(8 * stride as usize);
        let places = [&asked, &state];
        self.launch(Kernel::SecpPrepare, items, &places, &[stride, mode as u32, words]);
        self.launch(Kernel::InvertOrder, items, &[&state, &prefix], &[stride, self.inverters]);
        let table = self.table_of(combs);
        let (kernel, fixed) =
            if mode == Mode::Hot { (Kernel::SecpSumHot, Some(&table)) } else { (Kernel::SecpSum, None) };
        let mut params = [0; PARAMS];
        params[..5].copy_from_slice(&[items as u32, stride, mode as u32, words, combs.len() as u32]);
        let mut buffers = vec![&asked, &state, &self.table, &self.start];
        buffers.extend(fixed);
        self.lane.launch(&Launch { kernel, threads: items, buffers: &buffers, params }).expect("launched");
        self.launch(Kernel::InvertField, items, &[&state, &prefix], &[stride, self.inverters]);
        (asked, state, stride)
    }

    fn table_of(&mut self, combs: &[&Comb]) -> Buffer {
        let mut words = vec![];
        for comb in combs {
            for window in 0..32 {
                let points: Vec<_> = (0..128).map(|index| *comb.point(window, index)).collect();
                words.extend(words_of_points(&points));
            }
        }
        self.filled(&words)
    }

    /// Rows of answers, of which the tags are right for what was asked; `rows` may be empty.
    pub(super) fn answers<const WORDS: usize>(&mut self, asked: &[Vec<u32>], answers: &Buffer) -> Vec<[u32; WORDS]> {
        let words = self.read(answers);
        let rows: Vec<[u32; WORDS]> = words.as_chunks().0.to_vec();
        for (item, row) in rows.iter().enumerate() {
            let (answer, tag) = row.split_at(WORDS - 2);
            let asked = asked.get(item).map_or(&[][..], Vec::as_slice);
            let words = [asked, answer].concat();
            assert_eq!(tag, SEEDS.map(|seed| expected_tag(seed, item as u32, &words)), "item {item}");
        }
        rows
    }

    /// Code, address, key, tag; and what other kernels need for the same items.
    pub(super) fn recovered_once(&mut self, rows: &[Vec<u32>]) -> (Vec<[u32; 24]>, [Buffer; 2], [u32; 3]) {
        let (asked, state, stride) = self.sums(Mode::Recover, rows, &[]);
        let params = [stride, Mode::Recover as u32, rows[0].len() as u32];
        let answers = self.buffer(24 * rows.len());
        self.launch(Kernel::RecoverFinish, rows.len(), &[&asked, &state, &answers], &params);
        (self.answers::<24>(rows, &answers), [asked, state], params)
    }

    /// Code, address, key, tag, in both lengths.
    pub(super) fn recover(&mut self, rows: &[Vec<u32>]) -> Vec<[u32; 24]> {
        let (found, [asked, state], params) = self.recovered_once(rows);
        let answers = self.buffer(8 * rows.len());
        self.launch(Kernel::SignerFinish, rows.len(), &[&asked, &state, &answers], &params);
        for (short, row) in self.answers::<8>(rows, &answers).iter().zip(&found) {
            assert_eq!(short[..6], row[..6], "signer_finish says the same");
        }
        found
    }

    /// Code, a word of x, tag.
    pub(super) fn known(&mut self, mode: Mode, rows: &[Vec<u32>], combs: &[&Comb]) -> Vec<[u32; 4]> {
        let (asked, state, stride) = self.sums(mode, rows, combs);
        let answers = self.buffer(4 * rows.len());
        let words = rows[0].len() as u32;
        self.launch(Kernel::KnownFinish, rows.len(), &[&asked, &state, &answers], &[stride, mode as u32, words]);
        self.answers(rows, &answers)
    }
}

/// The tag, written once more.
pub(super) fn expected_tag(seed: u32, item: u32, answer: &[u32]) -> u32 {
    answer.iter().fold(seed ^ item.wrapping_mul(0x85eb_ca6b), |h, word| {
        let h = (h ^ word).wrapping_mul(0x9e37_79b1);
        h ^ (h >> 15)
    })
}

/// 32 bytes as words.
pub(super) fn bytes_as_words(bytes: &[u8]) -> Words {
    std::array::from_fn(|i| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().expect("4 bytes")))
}
