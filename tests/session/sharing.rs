//! Several sessions on one pool, and callbacks that use a session.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::{bytes, complete, open, options, sequential};
use crate::fixture::workload::{Maker, Workload};
use crate::fixture::{World, workload};
use starkiln::block::{BlockEnd, BlockSession, WorkerPool};

#[test]
fn sessions_share_a_pool() {
    let pool = WorkerPool::new(3).unwrap();
    std::thread::scope(|scope| {
        for make in [workload::mixed as Maker, workload::chain, workload::sequencer, workload::hot_pool] {
            let pool = &pool;
            scope.spawn(move || {
                let Workload { name, world, transactions } = make(60, 3);
                let expected = bytes(&sequential(&world, &transactions));
                for round in 0..3 {
                    let session = open(&world, pool, complete().undelivered(4));
                    let mut outcomes = Vec::new();
                    for batch in transactions.chunks(11) {
                        session.submit(batch.to_vec()).unwrap();
                        outcomes.extend(session.results().take(5));
                    }
                    if round == 1 {
                        continue; // The session is dropped with transactions in flight.
                    }
                    outcomes.extend(session.results());
                    let mut outcome = session.finish().unwrap().into_block_outcome([]);
                    outcome.transactions = outcomes;
                    assert!(bytes(&outcome) == expected, "{name}");
                }
            });
        }
    });
}

/// A thread of the pool that waits for a session executes transactions, so the pool cannot deadlock.
#[test]
fn a_waiting_thread_of_the_pool_executes_transactions() {
    let workload = workload::independent(30, 1);
    let expected = bytes(&sequential(&workload.world, &workload.transactions));
    let pool = WorkerPool::new(2).unwrap();
    let (done, outcome) = mpsc::channel();
    let world = World { env: workload.world.env.clone(), state: workload.world.state.clone() };
    let (inner_pool, transactions) = (pool.clone(), workload.transactions.clone());
    // The callback of one session finishes another one, on the only thread of the pool.
    let outer =
        BlockSession::open_with(world.env.clone(), world.state.clone(), &pool, options(), move |index, _| {
            if index == 0 {
                let inner = open(&world, &inner_pool, complete());
                inner.submit(transactions.clone()).unwrap();
                done.send(inner.finish().unwrap().into_block_outcome([])).unwrap();
            }
        })
        .unwrap();
    outer.submit([workload.transactions[0].clone()]).unwrap();
    let outcome = outcome.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(bytes(&outcome) == expected);
    outer.finish().unwrap().into_block_outcome([]);
}

/// A callback may submit and cancel.
#[test]
fn a_callback_may_use_the_handles() {
    let workload = workload::independent(30, 1);
    let pool = WorkerPool::new(2).unwrap();
    let handles = Arc::new(Mutex::new(None));
    let calls = Arc::new(AtomicUsize::new(0));
    let session = {
        let (handles, calls, more) =
            (Arc::clone(&handles), Arc::clone(&calls), workload.transactions[20..].to_vec());
        BlockSession::open_with(
            workload.world.env.clone(),
            workload.world.state.clone(),
            &pool,
            options(),
            move |index, _| {
                calls.fetch_add(1, Ordering::Relaxed);
                let handles = handles.lock().unwrap();
                let Some((submitter, cancel)): &Option<(
                    starkiln::block::Submitter<_>,
                    starkiln::block::CancelHandle,
                )> = &*handles
                else {
                    panic!("the handles are set before the first transaction is submitted")
                };
                match index {
                    3 => assert_eq!(submitter.submit(more.clone()), Ok(20..30)),
                    24 => assert!(cancel.cancel()),
                    _ => {}
                }
            },
        )
        .unwrap()
    };
    *handles.lock().unwrap() = Some((session.submitter(), session.cancel_handle()));
    session.submit(workload.transactions[..20].to_vec()).unwrap();
    assert_eq!(session.all_results().count(), 0, "the callback has taken the results");
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!((outcome.end, calls.load(Ordering::Relaxed)), (BlockEnd::Cancelled, 25));
}
