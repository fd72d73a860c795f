use std::future;

use tokio::{io::AsyncWriteExt, net::UnixStream, sync::oneshot};

use super::unless_gone;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(work)
}

#[test]
fn work_ends_when_the_peer_is_gone() {
    block_on(async {
        let (peer, own) = UnixStream::pair().expect("a pair");
        let (_read, write) = own.into_split();
        let (started, starts) = oneshot::channel();
        let work = async {
            started.send(()).expect("somebody waits");
            future::pending::<()>().await;
        };
        let leave = async {
            starts.await.expect("the work has begun");
            drop(peer);
        };
        let (done, ()) = tokio::join!(unless_gone(&write, work), leave);
        assert_eq!(done, None);
    });
}

#[test]
fn a_peer_that_sends_no_more_is_still_answered() {
    block_on(async {
        let (mut peer, own) = UnixStream::pair().expect("a pair");
        let (mut read, write) = own.into_split();
        peer.shutdown().await.expect("its sending side is closed");
        let work = async {
            // The end of what the peer sends has arrived, and so has whatever else the close brings.
            let mut rest = Vec::new();
            let read = tokio::io::AsyncReadExt::read_to_end(&mut read, &mut rest).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            read.expect("the end")
        };
        assert_eq!(unless_gone(&write, work).await, Some(0));
    });
}
