//! Stub until the class room is merged.
/// Stub.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ContractClass {
    /// Stub.
    Cairo1(std::sync::Arc<u64>),
}
