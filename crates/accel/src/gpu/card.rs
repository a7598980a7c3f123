//! What the host program needs of a graphics card, or of what stands in for one.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A kernel; `kernels/README.md` says what each does with which buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kernel {
    /// Signatures read, denominators and points laid out.
    SecpPrepare,
    /// Inverses modulo the order of secp256k1.
    InvertOrder,
    /// u1 G + u2 P of any points.
    SecpSum,
    /// u1 G + u2 Q of keys with tables.
    SecpSumHot,
    /// Inverses modulo the prime of secp256k1.
    InvertField,
    /// Keys and addresses.
    RecoverFinish,
    /// Sums compared with signatures.
    KnownFinish,
    /// Addresses alone.
    SignerFinish,
    /// Keccak-256.
    KeccakMessages,
    /// Weighted sums of signer vectors.
    SignerSums,
    /// Programs on numbers modulo the prime of BLS12-381.
    Fp381,
    /// Points of G1 laid out.
    G1Gather,
    /// Products of the denominators of pairs of points.
    G1Products,
    /// Inverses modulo the prime of BLS12-381.
    InvertFp381,
    /// Sums of pairs of points.
    G1Sums,
    /// Multiplications and nothing else, to measure how many a card does. Only for CUDA.
    ImadRate,
}

impl Kernel {
    /// Those of the operations: every card has them.
    pub(crate) const ALL: [Self; 15] = [
        Self::SecpPrepare,
        Self::InvertOrder,
        Self::SecpSum,
        Self::SecpSumHot,
        Self::InvertField,
        Self::RecoverFinish,
        Self::KnownFinish,
        Self::SignerFinish,
        Self::KeccakMessages,
        Self::SignerSums,
        Self::Fp381,
        Self::G1Gather,
        Self::G1Products,
        Self::InvertFp381,
        Self::G1Sums,
    ];

    /// Its name in the sources.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SecpPrepare => "secp_prepare",
            Self::InvertOrder => "invert_order",
            Self::SecpSum => "secp_sum",
            Self::SecpSumHot => "secp_sum_hot",
            Self::InvertField => "invert_field",
            Self::RecoverFinish => "recover_finish",
            Self::KnownFinish => "known_finish",
            Self::SignerFinish => "signer_finish",
            Self::KeccakMessages => "keccak_messages",
            Self::SignerSums => "signer_sums",
            Self::Fp381 => "fp381",
            Self::G1Gather => "g1_gather",
            Self::G1Products => "g1_products",
            Self::InvertFp381 => "invert_fp381",
            Self::G1Sums => "g1_sums",
            Self::ImadRate => "imad_rate",
        }
    }
}

/// Parameter words of a launch.
pub(crate) const PARAMS: usize = 16;

/// One run of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Launch<'a> {
    /// Which.
    pub(crate) kernel: Kernel,
    /// Threads, one an item or fewer; cards add more to fill their groups.
    pub(crate) threads: usize,
    /// The buffers, by place.
    pub(crate) buffers: &'a [&'a Buffer],
    /// The parameters; the first is the number of items.
    pub(crate) params: [u32; PARAMS],
}

/// Why a card did not answer. None of these is about the items: they go to the CPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Driver, library or device is not there.
    #[error("{0}")]
    Missing(String),
    /// No room for a buffer.
    #[error("no memory for {bytes} bytes on the card")]
    OutOfMemory {
        /// Asked for.
        bytes: usize,
    },
    /// A kernel cannot be made for this card.
    #[error("kernel {kernel} cannot be built: {reason}")]
    Build {
        /// Its name.
        kernel: &'static str,
        /// What the compiler says.
        reason: String,
    },
    /// It did not answer in time.
    #[error("no answer in {} ms", .0.as_millis())]
    Late(Duration),
    /// The device is gone, or a call to its driver failed.
    #[error("{0}")]
    Driver(String),
    /// Answers that cannot be right.
    #[error("{0}")]
    Lies(String),
}

/// What is known of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardInfo {
    /// As its driver calls it.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// Its place on the PCI bus (`0000:01:00.0`), if the driver tells: two drivers may have one card.
    pub place: Option<String>,
    /// Where the code of the kernels came from.
    pub kernels: String,
    /// Memory of the card, if the driver tells.
    pub memory_bytes: Option<u64>,
    /// Most bytes of one buffer.
    pub buffer_bytes_max: u64,
    /// Most items of one launch that the card is given, so that no launch is long.
    pub items_max: usize,
    /// Most multiplications of words of one thread in a launch of a program. Some drivers end a shader's loops after 65,535
    /// rounds in all (Mesa's llvmpipe), and none likes long launches.
    pub steps_max: usize,
    /// A program on the CPU that stands in for a card: good for tests, never for speed.
    pub software: bool,
}

/// A graphics card, opened. Lanes share its buffers.
pub(crate) trait Card: Debug + Send + Sync {
    /// What it is.
    fn info(&self) -> &CardInfo;

    /// Room for `words`; contents are undefined. The number names it until [`Card::release`].
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`], [`Fault::Driver`].
    fn allocate(&self, words: usize) -> Result<u64, Fault>;

    /// Gives room back. Work under way on it has ended.
    fn release(&self, id: u64);

    /// A new line of work: what is put into it is done in order.
    ///
    /// # Errors
    /// The driver's.
    fn lane(self: Arc<Self>) -> Result<Box<dyn Lane>, Fault>;
}

/// A line of work on a card. Calls return before the work is done, but for [`Lane::read`].
pub(crate) trait Lane: Send {
    /// Copies `words` to a buffer, from word `at` on.
    ///
    /// # Errors
    /// The driver's.
    fn write(&mut self, to: &Buffer, at: usize, words: &[u32]) -> Result<(), Fault>;

    /// Starts a kernel.
    ///
    /// # Errors
    /// The driver's; [`Fault::Build`] if the kernel was not built before.
    fn launch(&mut self, launch: &Launch<'_>) -> Result<(), Fault>;

    /// Waits for all that was put in before, and copies words of a buffer.
    ///
    /// # Errors
    /// The driver's; [`Fault::Late`] after `limit`: the lane is of no use then.
    fn read(&mut self, from: &Buffer, words: Range<usize>, limit: Duration) -> Result<Vec<u32>, Fault>;
}

/// Room on a card; given back when dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    card: Arc<dyn Card>,
    id: u64,
    words: usize,
}

impl Buffer {
    /// Takes room for `words`.
    ///
    /// # Errors
    /// [`Card::allocate`]'s, and [`Fault::OutOfMemory`] for more than the card binds at once.
    pub(crate) fn new(card: &Arc<dyn Card>, words: usize) -> Result<Self, Fault> {
        let bytes = words.saturating_mul(4);
        if bytes as u64 > card.info().buffer_bytes_max {
            return Err(Fault::OutOfMemory { bytes });
        }
        let id = card.allocate(words)?;
        Ok(Self { card: Arc::clone(card), id, words })
    }

    /// The card's name of it.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Its size.
    pub(crate) fn words(&self) -> usize {
        self.words
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.card.release(self.id);
    }
}
