//! Changes go on when whoever asked for them hangs up.

/// Carries something out in a task of its own, to its end: the caller who goes away stops waiting
/// and nothing else, so that what is committed is also told to the rest of the program. `None` when
/// it failed inside.
pub async fn to_the_end<T: Send + 'static>(
    use_case: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    match tokio::spawn(use_case).await {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::error!(%error, "a request failed inside");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_use_case_goes_on_when_the_caller_hangs_up_and_a_fault_inside_is_no_answer() {
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let (done, ended) = tokio::sync::oneshot::channel::<()>();
        let caller = tokio::spawn(to_the_end(async move {
            wait.await.unwrap();
            done.send(()).unwrap();
        }));
        tokio::task::yield_now().await;
        caller.abort();
        assert!(caller.await.is_err(), "the caller is gone");
        go.send(()).unwrap();
        assert_eq!(ended.await, Ok(()));
        assert_eq!(to_the_end(async { panic!("inside") }).await, None::<()>);
    }
}
