//! Key-value stores: memory and RocksDB; atomic batches; schema version; signing journal files.
#![forbid(unsafe_code)]
