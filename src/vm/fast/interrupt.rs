//! Interrupt polls during long work within a step.

use super::Bailout;
use crate::state::StopFlag;

/// Polls the interrupt flag during work that steps do not measure: hints and checks that iterate over memory.
#[derive(Debug, Default)]
pub(super) struct InterruptCheck {
    /// The interrupt flag; set when the frame first runs.
    pub stop: Option<StopFlag>,
    /// Number of processed items since the last poll.
    items: usize,
}

/// Number of processed items between two polls of the interrupt flag.
const ITEMS_BETWEEN_POLLS: usize = 1_000;

impl InterruptCheck {
    /// Counts processed items (elements, gates, accesses), and polls the interrupt flag after enough of them.
    #[inline]
    pub(super) fn advance(&mut self, items: usize) -> Result<(), Bailout> {
        self.items = self.items.saturating_add(items);
        if self.items < ITEMS_BETWEEN_POLLS {
            return Ok(());
        }
        self.items = 0;
        if self.stop.as_ref().is_some_and(StopFlag::is_raised) { Err(Bailout::Interrupted) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::CancellationToken;
    use crate::sync::{Arc, AtomicBool};

    #[test]
    fn the_flag_is_polled_after_enough_items() {
        let raised = StopFlag::new(Arc::new(AtomicBool::new(true)), Arc::new(CancellationToken::default()));
        let mut check = InterruptCheck { stop: Some(raised), items: 0 };
        assert_eq!(check.advance(ITEMS_BETWEEN_POLLS - 1), Ok(()));
        assert_eq!(check.advance(1), Err(Bailout::Interrupted));
        assert_eq!(check.advance(usize::MAX), Err(Bailout::Interrupted));
        let mut check = InterruptCheck { stop: Some(StopFlag::default()), items: 0 };
        assert_eq!(check.advance(usize::MAX), Ok(()));
        assert_eq!(InterruptCheck::default().advance(usize::MAX), Ok(()));
    }
}
