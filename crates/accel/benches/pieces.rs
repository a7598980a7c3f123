//! What the operations are made of: field and curve steps, tables of a key, Keccak. `cargo bench -p vigil-accel`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vigil_accel::pieces::pieces;
use vigil_accel::{PublicKey, detect};
use vigil_crypto::SecretKey;
use vigil_primitives::Hash;

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for mut piece in pieces() {
        group.throughput(Throughput::Elements(piece.items as u64));
        group.bench_function(&piece.name, |bencher| bencher.iter(&mut piece.run));
    }
}

fn tables(criterion: &mut Criterion) {
    let key = |n: u8| SecretKey::from_bytes(&[n; 32]).expect("below the order").public_key();
    let mut group = criterion.benchmark_group("build_combs");
    for count in [1, 16] {
        let keys: Vec<PublicKey> = (1..=count).map(key).collect();
        group.throughput(Throughput::Elements(u64::from(count)));
        for backend in detect() {
            let id = BenchmarkId::new(backend.name().as_str(), count);
            group.bench_function(id, |bencher| bencher.iter(|| black_box(backend.build_combs(&keys))));
        }
    }
}

fn keccak(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keccak256");
    let message = [0x5a; 135];
    let messages = vec![message.as_slice(); 64];
    let mut digests = vec![Hash::ZERO; messages.len()];
    group.throughput(Throughput::Elements(messages.len() as u64));
    for backend in detect() {
        let id = BenchmarkId::new(backend.name().as_str(), "64 x 135 bytes");
        group.bench_function(id, |bencher| bencher.iter(|| backend.keccak256(black_box(&messages), &mut digests)));
    }
}

criterion_group!(benches, steps, tables, keccak);
criterion_main!(benches);
