//! Refused submissions, and blocks that cannot be opened.

use super::{everything, open, options};
use starkiln::block::{BlockEnd, BlockError, BlockSession, SessionOptions, SubmitError, WorkerPool};

#[test]
fn departure_duplicates_and_late_transactions_are_error_values() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let session = open(&world, &pool, options());
    assert_eq!(session.submit(transactions[..5].to_vec()), Ok(0..5));
    let again = vec![transactions[5].clone(), transactions[3].clone()];
    let duplicate = |index: usize| SubmitError::Duplicate { hash: transactions[index].hash, index };
    assert_eq!(session.submit(again), Err(duplicate(3)));
    // The batch was refused as a whole, so its other transaction is no duplicate.
    let twice = vec![transactions[5].clone(), transactions[6].clone(), transactions[5].clone()];
    assert_eq!(session.submit(twice), Err(duplicate(5)));
    assert_eq!(session.submit(transactions[5..7].to_vec()), Ok(5..7));
    let submitter = session.submitter();
    submitter.end_input();
    assert_eq!(submitter.submit([transactions[7].clone()]), Err(SubmitError::InputEnded));
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!(outcome.transactions.len(), 7);
    let late = submitter.submit([transactions[7].clone()]);
    assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Finished))));

    let session = open(&world, &pool, options());
    let submitter = session.submitter();
    session.submit(transactions[..5].to_vec()).unwrap();
    session.close(3).unwrap().into_block_outcome([]);
    let late = submitter.submit([transactions[7].clone()]);
    assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Finished))));
}

#[test]
fn a_block_that_cannot_be_opened_is_an_error() {
    let (world, _) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let opened = BlockSession::open(world.env.clone(), world.state.clone(), &pool, SessionOptions::default());
    assert!(matches!(opened.unwrap_err(), BlockError::BlockHashMissing { .. }));
}
