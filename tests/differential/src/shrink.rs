//! Shrinks a block to the smallest that still has a property of the whole block.
//!
//! Input: a block file and a question that it answers with yes. Output: a block file that still does, with as
//! few transactions, contracts, cells and classes as could be found. Knows nothing of what the question is.

use std::collections::BTreeSet;
use std::path::Path;

use starkiln::replay::{BlockFile, ClassEntry, ClassText};
use starknet_api::core::ClassHash;

/// The property: returns `true` if a block still has it.
pub type Question<'a> = dyn Fn(&BlockFile) -> bool + Sync + 'a;

/// Shrinks a block. `last` is the transaction after which nothing matters, if one is known.
pub fn shrink(file: &BlockFile, last: Option<usize>, shows: &Question<'_>) -> BlockFile {
    let mut file = BlockFile { expected: None, ..file.clone() };
    if let Some(last) = last {
        let mut shorter = file.clone();
        shorter.transactions.truncate(last + 1);
        adopt(&mut file, shorter, shows);
    }
    transactions(&mut file, shows);
    // A transaction that is left out leaves its sender's later ones with wrong nonces, unless later nonces
    // are as good.
    let mut lenient = file.clone();
    lenient.transactions.iter_mut().for_each(|transaction| transaction.flags.strict_nonce = false);
    if lenient != file && adopt(&mut file, lenient, shows) {
        transactions(&mut file, shows);
    }
    state(&mut file, shows);
    // With less state there may be still fewer transactions.
    transactions(&mut file, shows);
    unused_classes(&mut file);
    file
}

/// Takes a candidate for the block, if it still shows it.
fn adopt(file: &mut BlockFile, candidate: BlockFile, shows: &Question<'_>) -> bool {
    let good = shows(&candidate);
    if good {
        *file = candidate;
    }
    good
}

fn transactions(file: &mut BlockFile, shows: &Question<'_>) {
    let kept = minimal(file.transactions.clone(), &|kept| {
        shows(&BlockFile { transactions: kept.to_vec(), ..file.clone() })
    });
    file.transactions = kept;
}

/// Contracts, then cells, then declared classes.
fn state(file: &mut BlockFile, shows: &Question<'_>) {
    let contracts: Vec<_> = file.state.contracts.clone().into_iter().collect();
    let kept = minimal(contracts, &|kept| {
        let mut candidate = file.clone();
        candidate.state.contracts = kept.iter().cloned().collect();
        shows(&candidate)
    });
    file.state.contracts = kept.into_iter().collect();
    let addresses: Vec<_> = file.state.contracts.keys().copied().collect();
    for address in addresses {
        let with = |kept: &[_]| {
            let mut candidate = file.clone();
            if let Some(contract) = candidate.state.contracts.get_mut(&address) {
                contract.storage = kept.iter().copied().collect();
            }
            candidate
        };
        let cells: Vec<_> = file.state.contracts[&address].storage.clone().into_iter().collect();
        let kept = minimal(cells, &|kept| shows(&with(kept)));
        let smaller = with(&kept);
        *file = smaller;
    }
    let declared: Vec<_> = file.state.declared.clone().into_iter().collect();
    let kept = minimal(declared, &|kept| {
        let mut candidate = file.clone();
        candidate.state.declared = kept.iter().copied().collect();
        shows(&candidate)
    });
    file.state.declared = kept.into_iter().collect();
}

/// Leaves out classes that are neither declared nor get declared.
fn unused_classes(file: &mut BlockFile) {
    let declares = file.transactions.iter().filter_map(|transaction| transaction.declares());
    let used: BTreeSet<ClassHash> = file.state.declared.keys().copied().chain(declares).collect();
    file.classes.retain(|class_hash, _| used.contains(class_hash));
}

/// The items that cannot be left out: neither halves of them, nor quarters, and so on, nor single ones.
/// Assumes that all of them together show it.
pub fn minimal<T: Clone>(mut items: Vec<T>, shows: &dyn Fn(&[T]) -> bool) -> Vec<T> {
    if !items.is_empty() && shows(&[]) {
        return Vec::new();
    }
    let mut size = items.len().div_ceil(2);
    while size > 0 {
        let mut left_out = false;
        // From the end: what comes later depends on what comes before.
        let mut end = items.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let rest: Vec<T> = items[..start].iter().chain(&items[end..]).cloned().collect();
            if rest.len() < items.len() && shows(&rest) {
                items = rest;
                left_out = true;
            }
            end = start.min(items.len());
        }
        // Single ones are tried again as long as one could be left out.
        if size > 1 {
            size /= 2;
        } else if !left_out {
            size = 0;
        }
    }
    items
}

/// The block with its classes in it, so that it needs no other file. `folder` is where its relative paths
/// start.
pub fn with_classes_inline(mut file: BlockFile, folder: &Path) -> Result<BlockFile, String> {
    let inline = |text: &mut ClassText| {
        if let ClassText::File(path) = text {
            let path = folder.join(path.as_path());
            let content =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            *text = ClassText::Inline(content);
        }
        Ok::<(), String>(())
    };
    for entry in file.classes.values_mut() {
        match entry {
            ClassEntry::Sierra(text) | ClassEntry::Cairo0(text) => inline(text)?,
            ClassEntry::Casm { casm, sierra, .. } => {
                inline(casm)?;
                sierra.iter_mut().try_for_each(inline)?;
            }
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_left_out_is_found_wherever_it_stands() {
        for wanted in [vec![0], vec![99], vec![3, 50], vec![0, 1, 98, 99], vec![]] {
            let shows = |kept: &[u32]| wanted.iter().all(|item| kept.contains(item));
            assert_eq!(minimal((0..100).collect(), &shows), wanted);
        }
    }

    #[test]
    fn what_stands_together_or_not_at_all_is_kept_together() {
        // Leaving out one of a pair shows nothing; an odd one out is not needed.
        let shows = |kept: &[u32]| {
            kept.contains(&7)
                && (0..10).all(|pair| kept.contains(&(2 * pair)) == kept.contains(&(2 * pair + 1)))
        };
        let kept = minimal((0..20).collect(), &shows);
        assert!(shows(&kept) && kept.len() < 20, "{kept:?}");
    }
}
