//! A host's reader that fails, panics or hangs.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::{
    SOON, bytes, complete, handler, open_watched, options, pool_is_free, sequential, without_transactions,
};
use crate::fixture::workload::Workload;
use crate::fixture::{error_chain, felt, workload};
use starkiln::block::{BlockEnd, BlockError, CloseError, SubmitError, WorkerPool};
use starkiln::state::ReadError;

/// A reader that fails or panics ends its session with that error. The committed transactions can still be
/// closed into a block, and the pool can be used.
#[test]
fn a_reader_that_fails_in_the_middle() {
    let workload = workload::independent(40, 1);
    let Workload { world, transactions, .. } = &workload;
    let expected = sequential(world, &transactions[..25]);
    let broken = transactions[25].sender();
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        for panics in [false, true] {
            let session = || {
                let session = open_watched(world, &pool, complete(), move |address| {
                    assert!(!(panics && address == broken), "the reader panics, as asked");
                    if address == broken { Err(ReadError::message("no answer, as asked")) } else { Ok(()) }
                });
                session.submit(transactions.clone()).unwrap();
                let outcomes: Vec<_> = session.results().collect();
                assert!(outcomes == expected.transactions);
                session
            };
            let failure = session().finish().unwrap_err();
            let BlockError::Transaction { index: 25, hash, failure: why } = &failure else {
                panic!("{failure:?}")
            };
            assert_eq!(*hash, transactions[25].hash);
            assert!(error_chain(why).contains("as asked"), "{why:?}");
            let late = session().submit([handler(felt(0x1a7e), "handle", 1)]);
            assert_eq!(late, Err(SubmitError::Failed(Box::new(failure.clone()))));
            assert_eq!(session().close(26), Err(CloseError::Block(failure)));
            let outcome = session().close(25).unwrap().into_block_outcome([]);
            let expected = without_transactions(&expected);
            assert!(bytes(&outcome) == bytes(&expected));
            assert!(pool_is_free(&pool));
        }
    }
}

/// A reader that hangs blocks only the thread that called it: results end at the deadline, and dropping does
/// not wait.
#[test]
fn a_reader_that_hangs_does_not_hang_the_host() {
    let workload = workload::independent(10, 1);
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let hangs_at = workload.transactions[4].sender();
    let pool = WorkerPool::new(3).unwrap();
    let deadline = Instant::now() + Duration::from_millis(600);
    let options = options().deadline(deadline);
    let session = open_watched(&workload.world, &pool, options, {
        let gate = Arc::clone(&gate);
        move |address| {
            let mut is_open = gate.0.lock().unwrap();
            while address == hangs_at && !*is_open {
                is_open = gate.1.wait(is_open).unwrap();
            }
            Ok(())
        }
    });
    session.submit(workload.transactions.clone()).unwrap();
    assert_eq!(session.results().count(), 4);
    assert!(deadline.elapsed() < SOON);
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!(outcome.end, BlockEnd::Deadline);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert!(pool_is_free(&pool));
}
