//! What a rotation needs to know about one kind of credential.

use std::error::Error;

use crate::secret::Secret;

/// How far a retirement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retirement {
    /// The old credential is good for nothing any more.
    Done,
    /// The service is at it; ask again later.
    UnderWay,
}

/// A service that accepts two credentials at a time.
///
/// Every method may be called again after it has succeeded, failed, or been killed half-way, and by two invocations at once.
/// None may log or put into an error what a secret holds, but for a user's name.
pub trait RotationTarget: Send + Sync {
    /// What can go wrong.
    type Error: Error + Send + Sync + 'static;

    /// Makes the credential that will follow `current`. What the service itself must make, such as an access key, is made
    /// here; everything else in [`install`](Self::install). Only `current` is in use: whatever else the service holds was
    /// left behind by an attempt that died.
    ///
    /// # Errors
    /// What kept it from being made.
    fn make(&self, current: &Secret) -> impl Future<Output = Result<Secret, Self::Error>> + Send;

    /// Removes what [`make`](Self::make) made, which could not be kept. By default there is nothing to remove.
    ///
    /// # Errors
    /// What kept it from being removed.
    fn take_back(&self, _made: &Secret) -> impl Future<Output = Result<(), Self::Error>> + Send {
        async { Ok(()) }
    }

    /// Makes the service accept `pending`, and go on accepting `current`.
    ///
    /// # Errors
    /// What kept it from being installed; `current` is still good.
    fn install(&self, current: &Secret, pending: &Secret) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Signs in with `pending`.
    ///
    /// # Errors
    /// Why that did not work.
    fn prove(&self, pending: &Secret) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Makes the service accept nothing but `current`, and `pending` if a rotation has begun meanwhile.
    ///
    /// # Errors
    /// What kept the old credential from being retired; `current` is still good.
    fn retire(
        &self,
        current: &Secret,
        pending: Option<&Secret>,
    ) -> impl Future<Output = Result<Retirement, Self::Error>> + Send;

    /// Whether the same may succeed in a moment.
    fn may_pass(&self, _error: &Self::Error) -> bool {
        false
    }
}
