//! The store on disk.
//!
//! A directory of ours: `identity` (schema and genesis hash as text, written before the database is made), `LOCK`, and
//! the database in `db`. The identity is read before the database is touched, so that data of a newer program or of
//! another chain is refused unchanged.

use crate::{Batch, Bytes, Column, DirLock, Entry, Hash, Operation, Stats, Store, StoreError, files};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, Direction, ErrorKind,
    IteratorMode, LogLevel, Options, PrefixRange, ReadOptions, WriteBatch, WriteOptions,
};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Version of the keys and values; the program knows one.
    pub schema: u32,
    /// Hash of the genesis block.
    pub genesis: Hash,
}

/// How much of the machine the database may take. The defaults suit a machine with 2 GB of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RocksOptions {
    /// Bytes of read cache, index and filter blocks included.
    pub cache_bytes: usize,
    /// Bytes of unflushed writes, all columns together.
    pub memtable_bytes: usize,
    /// Files held open.
    pub open_files: i32,
    /// Threads for flushing and compacting.
    pub background_jobs: i32,
}

impl RocksOptions {
    /// Bytes that one column may keep unflushed.
    fn column_buffer_bytes(self) -> usize {
        (self.memtable_bytes / 2).max(1 << 20)
    }

    /// Bytes that must be free on a disk that was full before writes are taken again: RocksDB's reserve for one flush,
    /// the largest buffer of a column.
    pub fn resume_bytes(self) -> u64 {
        self.column_buffer_bytes() as u64
    }
}

impl Default for RocksOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, memtable_bytes: 64 << 20, open_files: 512, background_jobs: 2 }
    }
}

/// RocksDB insists on a column of this name; nothing is in it.
const UNUSED_COLUMN: &str = "default";
/// Memory for its unflushed writes, in bytes: as little as RocksDB allows.
const UNUSED_BUFFER_BYTES: usize = 64 << 10;
/// Largest write-ahead log in bytes; bounds the time to open after a crash.
const WAL_BYTES_MAX: u64 = 128 << 20;
/// Values of the block column from this size on stand in files of their own and are not rewritten by compaction.
const BLOB_BYTES_MIN: u64 = 4 << 10;
/// Bits of bloom filter a key: about 1 % of the look-ups of absent keys touch the disk.
const BLOOM_BITS: f64 = 10.0;

/// A store in RocksDB.
///
/// When the disk is full, writes fail with [`StoreError::DiskFull`] and reads go on. RocksDB looks every 5 seconds
/// whether [`RocksOptions::resume_bytes`] are free; then it writes a new log and takes writes again, without a restart.
/// Everything that was acknowledged before stays; of the write that failed nothing is seen.
pub struct RocksStore {
    db: DB,
    path: PathBuf,
    resume_bytes: u64,
    batches: AtomicU64,
    operations: AtomicU64,
    bytes_written: AtomicU64,
    // Dropped after `db`: the directory is free when the database is closed.
    _lock: DirLock,
}

impl RocksStore {
    /// Opens the store in directory `path`, or makes it. The directory must not be one that the caller holds a
    /// [`DirLock`] on: the store takes its own.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::SchemaNewer`], [`StoreError::SchemaOlder`], [`StoreError::OtherChain`]
    /// (nothing is changed then), [`StoreError::Corrupt`], [`StoreError::DiskFull`], or what the system says.
    pub fn open(path: &Path, identity: Identity) -> Result<Self, StoreError> {
        Self::open_with(path, identity, RocksOptions::default())
    }

    /// [`RocksStore::open`] with a share of the machine other than the default.
    ///
    /// # Errors
    /// As [`RocksStore::open`].
    pub fn open_with(path: &Path, identity: Identity, options: RocksOptions) -> Result<Self, StoreError> {
        let lock = DirLock::acquire(path)?;
        check_identity(path, identity)?;
        let cache = Cache::new_lru_cache(options.cache_bytes);
        let columns = Column::ALL.map(|c| ColumnFamilyDescriptor::new(c.name(), column_options(c, &cache, options)));
        let columns = columns.into_iter().chain([ColumnFamilyDescriptor::new(UNUSED_COLUMN, unused_options())]);
        let db = DB::open_cf_descriptors(&database_options(options), path.join("db"), columns)
            .map_err(|e| failure("opening", path, e))?;
        let [batches, operations, bytes_written] = [const { AtomicU64::new(0) }; 3];
        let resume_bytes = options.resume_bytes();
        Ok(Self { db, path: path.to_owned(), resume_bytes, batches, operations, bytes_written, _lock: lock })
    }

    fn column(&self, column: Column) -> &ColumnFamily {
        self.db.cf_handle(column.name()).expect("every column is made when the store is opened")
    }

    /// [`failure`] of a write; on a full disk with what it takes to go on.
    fn write_failure(&self, action: &'static str, error: rocksdb::Error) -> StoreError {
        match failure(action, &self.path, error) {
            StoreError::DiskFull { path, detail } => {
                let mib = self.resume_bytes.div_ceil(1 << 20);
                StoreError::DiskFull { path, detail: format!("writing goes on when {mib} MiB are free; {detail}") }
            }
            other => other,
        }
    }
}

impl Store for RocksStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let value = self.db.get_cf(self.column(column), key).map_err(|e| failure("reading", &self.path, e))?;
        Ok(value.map(Bytes::from))
    }

    fn write(&self, batch: Batch, durable: bool) -> Result<(), StoreError> {
        let mut changes = WriteBatch::default();
        for operation in batch.operations() {
            match operation {
                Operation::Put { column, key, value } => changes.put_cf(self.column(*column), key, value),
                Operation::Delete { column, key } => changes.delete_cf(self.column(*column), key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durable);
        self.db.write_opt(changes, &options).map_err(|e| self.write_failure("writing", e))?;
        self.batches.fetch_add(1, Relaxed);
        self.operations.fetch_add(batch.len() as u64, Relaxed);
        self.bytes_written.fetch_add(batch.bytes() as u64, Relaxed);
        Ok(())
    }

    fn scan(&self, column: Column, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(PrefixRange(prefix));
        let mode = IteratorMode::From(prefix.max(from), Direction::Forward);
        let entries = self.db.iterator_cf_opt(self.column(column), options, mode).take(limit);
        let entries = entries.map(|entry| entry.map(|(key, value)| (key.into(), value.into())));
        entries.collect::<Result<_, _>>().map_err(|e| failure("scanning", &self.path, e))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush_wal(true).map_err(|e| self.write_failure("syncing", e))
    }

    fn stats(&self) -> Stats {
        Stats {
            batches: self.batches.load(Relaxed),
            operations: self.operations.load(Relaxed),
            bytes_written: self.bytes_written.load(Relaxed),
            bytes_held: folder_bytes(&self.path.join("db")),
        }
    }
}

fn database_options(options: RocksOptions) -> Options {
    let mut database = Options::default();
    database.create_if_missing(true);
    database.create_missing_column_families(true);
    database.set_max_open_files(options.open_files);
    database.set_max_background_jobs(options.background_jobs);
    database.set_db_write_buffer_size(options.memtable_bytes);
    database.set_max_total_wal_size(WAL_BYTES_MAX);
    database.set_bytes_per_sync(1 << 20);
    database.set_wal_bytes_per_sync(1 << 20);
    database.set_log_level(LogLevel::Warn);
    database.set_keep_log_file_num(4);
    database.set_max_log_file_size(4 << 20);
    database
}

fn column_options(column: Column, cache: &Cache, options: RocksOptions) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_bloom_filter(BLOOM_BITS, false);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut family = Options::default();
    family.set_block_based_table_factory(&table);
    family.set_write_buffer_size(options.column_buffer_bytes());
    family.set_compression_type(match column {
        Column::Nodes => DBCompressionType::None, // hashes do not compress
        _ => DBCompressionType::Lz4,
    });
    if column == Column::Blocks {
        family.set_enable_blob_files(true);
        family.set_min_blob_size(BLOB_BYTES_MIN);
        family.set_blob_compression_type(DBCompressionType::Lz4);
        family.set_enable_blob_gc(true);
    }
    family
}

/// With a buffer of the default size the reserve for a full disk would be larger than our columns need.
fn unused_options() -> Options {
    let mut family = Options::default();
    family.set_write_buffer_size(UNUSED_BUFFER_BYTES);
    family
}

/// Writes the identity of a new store, or compares it with that of an old one.
fn check_identity(path: &Path, identity: Identity) -> Result<(), StoreError> {
    let file = path.join("identity");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return write_identity(path, &file, identity),
        Err(error) => return Err(StoreError::io("reading", &file, error)),
    };
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='));
    let damaged = |what: &str| StoreError::Corrupt { path: file.clone(), detail: format!("it has no valid {what}") };
    let found = field("schema").and_then(|v| v.trim().parse::<u32>().ok()).ok_or_else(|| damaged("schema"))?;
    let known = identity.schema;
    if found > known {
        return Err(StoreError::SchemaNewer { path: path.to_owned(), found, known });
    }
    if found < known {
        return Err(StoreError::SchemaOlder { path: path.to_owned(), found, known });
    }
    let found = field("genesis").and_then(|v| v.trim().parse::<Hash>().ok()).ok_or_else(|| damaged("genesis"))?;
    if found != identity.genesis {
        return Err(StoreError::OtherChain { path: path.to_owned(), found, expected: identity.genesis });
    }
    Ok(())
}

fn write_identity(path: &Path, file: &Path, identity: Identity) -> Result<(), StoreError> {
    if path.join("db").exists() {
        let detail = "there is a database without an identity".to_owned();
        return Err(StoreError::Corrupt { path: file.to_owned(), detail });
    }
    let text = format!("schema = {}\ngenesis = {}\n", identity.schema, identity.genesis);
    files::replace(file, text.as_bytes()).map(|_| ()).map_err(|e| StoreError::io("writing", file, e))
}

/// Our words for an error of RocksDB.
fn failure(action: &'static str, path: &Path, error: rocksdb::Error) -> StoreError {
    let (kind, path, detail) = (error.kind(), path.to_owned(), error.into_string());
    if detail.contains("No space left") || detail.contains("quota exceeded") {
        return StoreError::DiskFull { path, detail };
    }
    match kind {
        ErrorKind::Corruption => StoreError::Corrupt { path, detail },
        _ => StoreError::Database { action, path, detail },
    }
}

/// Bytes of the files in a folder; what cannot be read counts nothing.
fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|m| m.len()).sum()
}
