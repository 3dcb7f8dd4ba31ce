//! What becomes of a batch in which one incident is to blame.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::Error;

/// Hands `all` to `persist` in one piece, otherwise each half by itself, down to the single one that the server rejects or
/// that makes us panic; what became of each. Every piece has a claim of its own.
pub(super) fn halved<'a, I, T, P, F>(
    all: &'a [I],
    claim: String,
    persist: &'a P,
) -> BoxFuture<'a, Vec<Result<T, Error>>>
where
    I: Sync,
    T: Clone + Send,
    P: Fn(&'a [I], String) -> F + Sync,
    F: Future<Output = Result<Vec<T>, Error>> + Send + 'a,
{
    Box::pin(async move {
        if all.is_empty() {
            return Vec::new();
        }
        let persisted = AssertUnwindSafe(persist(all, claim.clone())).catch_unwind().await;
        match persisted.unwrap_or(Err(Error::Panicked)) {
            Ok(done) => done.into_iter().map(Ok).collect(),
            Err(error) if all.len() > 1 && one_is_to_blame(&error) => {
                tracing::warn!(%error, incidents = all.len(), "a batch was rejected; its halves are tried");
                let (first, second) = all.split_at(all.len() / 2);
                let mut results = halved(first, format!("{claim}0"), persist).await;
                results.extend(halved(second, format!("{claim}1"), persist).await);
                results
            }
            Err(error) => vec![Err(error); all.len()],
        }
    })
}

fn one_is_to_blame(error: &Error) -> bool {
    matches!(
        error,
        Error::Panicked | Error::Database(database::Error::Statement { .. })
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn rejected() -> Error {
        Error::Database(database::Error::Statement {
            address: "db:3306".into(),
            code: 3819,
            reason: "a check".into(),
        })
    }

    /// Persists numbers, unless one of them is the third; the results, and the claims in their order.
    async fn with_a_bad_third(bad: fn() -> Error) -> (Vec<Result<u8, Error>>, Vec<String>) {
        let claims = Mutex::new(Vec::new());
        let persist = |part: &[u8], claim: String| {
            claims.lock().expect("no panic before").push(claim);
            let part = part.to_vec();
            async move { if part.contains(&3) { Err(bad()) } else { Ok(part) } }
        };
        let results = halved(&[1, 2, 3, 4], "c".to_owned(), &persist).await;
        (results, claims.into_inner().expect("no panic before"))
    }

    #[tokio::test]
    async fn what_is_rejected_or_makes_us_panic_is_alone_in_that() {
        let (results, claims) = with_a_bad_third(rejected).await;
        assert_eq!(results, [Ok(1), Ok(2), Err(rejected()), Ok(4)]);
        assert_eq!(claims, ["c", "c0", "c1", "c10", "c11"]);
        let (results, _) = with_a_bad_third(|| panic!("a defect")).await;
        assert_eq!(results, [Ok(1), Ok(2), Err(Error::Panicked), Ok(4)]);
    }

    #[tokio::test]
    async fn what_no_single_one_is_to_blame_for_is_not_tried_in_halves() {
        let (results, claims) = with_a_bad_third(|| Error::Busy { seconds: 5 }).await;
        assert_eq!(results, vec![Err(Error::Busy { seconds: 5 }); 4]);
        assert_eq!(claims, ["c"]);
    }
}
