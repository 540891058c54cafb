//! The services of the executor for views.

use super::super::task::{Sink, Task};
use super::super::versioned_memory::VersionedMemory;
use super::super::view::ViewContext;
use super::ParallelExecutor;

impl<T: Task, S: Sink<T>> ViewContext<T> for ParallelExecutor<T, S> {
    fn memory(&self) -> &VersionedMemory<T::Key, T::Value> {
        &self.memory
    }

    fn load(&self, key: &T::Key) -> Result<T::Value, T::Error> {
        self.load(key)
    }

    fn is_cacheable(&self, key: &T::Key, value: &T::Value) -> bool {
        self.task.is_cacheable(key, value)
    }

    fn deltas(&self, after: Option<usize>, before: usize) -> Vec<T::Delta> {
        self.schedule.lock().deltas(after, before)
    }
}
