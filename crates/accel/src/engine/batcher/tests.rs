//! Requests here are numbers, of as many items.

use super::*;
use tokio::sync::oneshot;

/// Longest time that a test waits for what comes at once.
const PATIENCE: Duration = Duration::from_secs(60);
const NEVER: Duration = Duration::from_secs(86_400);

const fn items(items: usize) -> Size {
    Size { items, bytes: 0 }
}

/// A line without a thread, and its end.
fn line() -> (Batcher<usize>, mpsc::Receiver<Waiting<usize>>) {
    let (line, end) = mpsc::channel();
    (Batcher { line: Some(line), room: Arc::new(Semaphore::new(ROOM)), thread: None }, end)
}

fn offer_all(batcher: &Batcher<usize>, requests: &[usize]) {
    requests.iter().for_each(|request| batcher.offer(*request, items(*request)).expect("room"));
}

fn requests(batch: Option<Vec<Waiting<usize>>>) -> Vec<usize> {
    batch.expect("a batch").into_iter().map(|waiting| waiting.request).collect()
}

/// A batcher that tells its batches, and begins each when it is told to.
struct Slow {
    // Dropped in this order: without it the batcher works on, and ends.
    go: mpsc::Sender<()>,
    batcher: Batcher<usize>,
    batches: mpsc::Receiver<Vec<usize>>,
}

impl Slow {
    fn start(at: FlushAt) -> Self {
        let (tell, batches) = mpsc::channel();
        let (go, told) = mpsc::channel();
        let work = move |batch: Vec<usize>| {
            tell.send(batch).expect("the test listens");
            let _at_the_end_it_just_goes_on = told.recv();
        };
        Self { batcher: Batcher::start("test", Op::Recover, at, work).expect("a thread"), batches, go }
    }

    /// With its thread busy and nothing in line.
    fn busy() -> Self {
        let slow = Self::start(FlushAt { items: 1, age: NEVER });
        offer_all(&slow.batcher, &[1]);
        assert_eq!(slow.next(), [1]);
        slow
    }

    fn next(&self) -> Vec<usize> {
        self.batches.recv_timeout(PATIENCE).expect("a batch")
    }
}

#[test]
fn a_batch_starts_when_there_is_enough() {
    let (batcher, end) = line();
    offer_all(&batcher, &[1, 2, 3, 4]);
    let at = FlushAt { items: 6, age: NEVER };
    assert_eq!(requests(collect(at, &end)), [1, 2, 3]);
    // The last one waits for others, who come while the batch collects.
    let batch = std::thread::scope(|scope| {
        let collecting = scope.spawn(move || requests(collect(at, &end)));
        offer_all(&batcher, &[1, 5]);
        collecting.join().expect("no panic")
    });
    assert_eq!(batch, [4, 1, 5]);
}

/// Nobody else comes: that the batch starts at all is due to its age.
#[test]
fn a_batch_starts_when_the_oldest_has_waited_long_enough() {
    for age in [Duration::ZERO, Duration::from_micros(100), Duration::from_millis(20)] {
        let (batcher, end) = line();
        let at = FlushAt { items: usize::MAX, age };
        offer_all(&batcher, &[6]);
        assert_eq!(requests(collect(at, &end)), [6]);
        // What is late is not held up, and what is there goes along.
        offer_all(&batcher, &[4, 5]);
        assert_eq!(requests(collect(FlushAt { age: Duration::ZERO, ..at }, &end)), [4, 5]);
    }
}

#[test]
fn a_full_line_takes_no_more_requests() {
    let slow = Slow::busy();
    (0..ROOM / ROOM_MIN).for_each(|request| slow.batcher.offer(request, items(1)).expect("room"));
    assert_eq!(slow.batcher.offer(7, items(1)), Err(7), "given back");
    room_comes(&slow);
}

#[test]
fn a_full_line_takes_no_more_items() {
    let slow = Slow::busy();
    slow.batcher.offer(2, items(ROOM - 20)).expect("room");
    assert_eq!(slow.batcher.offer(7, items(21)), Err(7), "given back");
    slow.batcher.offer(3, items(20)).expect("room");
    assert_eq!(slow.batcher.offer(7, items(1)), Err(7), "given back");
    assert_eq!(slow.batcher.offer(8, items(usize::MAX)), Err(8), "given back");
    room_comes(&slow);
}

#[test]
fn a_full_line_takes_no_more_bytes() {
    let slow = Slow::busy();
    let bytes = |bytes| Size { items: 1, bytes };
    (0..63).for_each(|request| slow.batcher.offer(request, bytes(1 << 20)).expect("room"));
    assert_eq!(slow.batcher.offer(7, bytes((1 << 20) + 1024)), Err(7), "given back");
    slow.batcher.offer(7, bytes(1 << 20)).expect("room");
    assert_eq!(slow.batcher.offer(7, bytes(1)), Err(7), "given back");
    room_comes(&slow);
}

/// Who waits at a full line gets in as soon as a batch of it starts.
fn room_comes(slow: &Slow) {
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    clock.block_on(async {
        let put = slow.batcher.put(9, items(1));
        tokio::pin!(put);
        assert!(waits(put.as_mut()).await, "it waits");
        slow.go.send(()).expect("it listens");
        slow.next();
        tokio::time::timeout(PATIENCE, put).await.expect("room");
    });
}

/// Whether a future is not ready at once.
async fn waits(mut future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
    std::future::poll_fn(|task| std::task::Poll::Ready(future.as_mut().poll(task).is_pending())).await
}

#[test]
fn requests_keep_their_order_and_are_all_done_before_it_ends() {
    let slow = Slow::start(FlushAt { items: 10, age: NEVER });
    (0..1_000).for_each(|request| slow.batcher.offer(request, items(3)).expect("room"));
    drop(slow.go);
    drop(slow.batcher);
    let batches: Vec<Vec<usize>> = slow.batches.try_iter().collect();
    assert!(batches.iter().all(|batch| batch.len() == 4), "{batches:?}");
    assert_eq!(batches.concat(), (0..1_000).collect::<Vec<_>>());
}

#[test]
fn a_batch_that_panics_is_told_and_the_next_one_worked_on() {
    let work = |batch: Vec<(usize, oneshot::Sender<usize>)>| {
        for (request, reply) in batch {
            assert_ne!(request, 1, "a planted bug");
            reply.send(request).expect("the test waits");
        }
    };
    let batcher = Batcher::start("test", Op::Recover, FlushAt { items: 1, age: NEVER }, work).expect("a thread");
    let ask = |request| {
        let (reply, answer) = oneshot::channel();
        batcher.offer((request, reply), items(1)).expect("room");
        answer.blocking_recv().ok()
    };
    assert_eq!([0, 1, 2].map(ask), [Some(0), None, Some(2)]);
}

#[test]
fn waits_are_told() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let (batcher, end) = line();
    offer_all(&batcher, &[1, 2, 3]);
    drop(batcher);
    let mut batches = Vec::new();
    let at = FlushAt { items: 2, age: NEVER };
    metrics::with_local_recorder(&recorder, || run(Op::Recover, at, &end, |batch| batches.push(batch)));
    assert_eq!(batches, [vec![1, 2], vec![3]]);
    let text = recorder.handle().render();
    assert!(text.contains("vigil_accel_wait_seconds_count{op=\"recover\"} 3\n"), "{text}");
}
