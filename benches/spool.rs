//! What durability costs: 30 KiB messages committed to the segment log by 1, 16 and 64 writers, each waiting for its own
//! acknowledgement, and ended again. The time is that of one message, both commits included.
//!
//! The disk that is measured is that of the target directory.

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mailsluice::mail::{Content, Door, Envelope, ForwardPath, Id, Origin, Recipient, ReversePath, Standing, Timestamp};
use mailsluice::spool::{Entry, Fence, NodeId, Options, Record, SegmentLog, Spool};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

fn accept(id: Id, octets: &Bytes) -> Record {
    let mut envelope = Envelope::new(ReversePath::parse("<from@example.org>").unwrap());
    let path = ForwardPath::parse("<to@example.com>").unwrap();
    envelope.recipients.push(Recipient::new(path, Standing::Local));
    let entry = Entry::new(id, Timestamp(0), Origin::door(Door::Smtp), envelope, 0, octets.len() as u64);
    Record::Accept(Box::new(entry), Content::from(octets.clone()))
}

async fn write(spool: Arc<SegmentLog>, fence: Fence, ids: Arc<AtomicU64>, messages: u64) {
    let octets = Bytes::from(vec![b'x'; 30 << 10]);
    for _ in 0..messages {
        let id = Id(ids.fetch_add(1, Ordering::Relaxed));
        spool.commit(fence, vec![accept(id, &octets)]).await.unwrap();
        spool.commit(fence, vec![Record::End(id)]).await.unwrap();
    }
}

fn commit(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let spool = Arc::new(SegmentLog::open(dir.path(), Options::default()).unwrap());
    let fence = runtime.block_on(spool.claim(NodeId(1))).unwrap().fence;
    let ids = Arc::new(AtomicU64::new(1));
    let mut group = c.benchmark_group("spool/commit");
    group.throughput(Throughput::Elements(1)).sample_size(10).measurement_time(Duration::from_secs(3));
    for writers in [1, 16, 64] {
        group.bench_function(BenchmarkId::from_parameter(writers), |bench| {
            bench.iter_custom(|messages| {
                let started = Instant::now();
                let share = |n| messages / writers + u64::from(n < messages % writers);
                let tasks: Vec<_> =
                    (0..writers).map(|n| runtime.spawn(write(spool.clone(), fence, ids.clone(), share(n)))).collect();
                for task in tasks {
                    runtime.block_on(task).unwrap();
                }
                started.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, commit);
criterion_main!(benches);
