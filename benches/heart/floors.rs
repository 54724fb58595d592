//! Floors to compare with: what the machine itself takes for work that no code of ours can leave out.

use std::hint::black_box;

use criterion::{Criterion, Throughput};

use crate::after::{CHUNK_BYTES, short_lines};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("floor");
    let (key, input) = ([7_u8; 32], [9_u8; 64]);
    group.bench_function("one keyed BLAKE3 of 64 octets", |bencher| {
        bencher.iter(|| blake3::keyed_hash(black_box(&key), black_box(&input)));
    });
    let lines = short_lines();
    group.throughput(Throughput::Bytes(CHUNK_BYTES as u64));
    group.bench_function("memchr over 16 KiB of short lines", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&lines)).count());
    });
    group.bench_function("memchr over 16 KiB without a line", |bencher| {
        let octets = vec![b'x'; CHUNK_BYTES];
        bencher.iter(|| memchr::memchr(b'\n', black_box(&octets)));
    });
    group.bench_function("a copy of 16 KiB", |bencher| {
        let mut copy = Vec::with_capacity(CHUNK_BYTES);
        bencher.iter(|| {
            copy.clear();
            copy.extend_from_slice(black_box(&lines));
            black_box(&copy).len()
        });
    });
    group.finish();
}
