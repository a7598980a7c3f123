//! A server around a fake node, on a loopback port.

use crate::fake::Fake;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use vigil_rpc::{ServerConfig, serve};

/// A running server; ends when dropped.
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The node behind it.
    pub(crate) fake: Arc<Fake>,
    end: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Serves `fake` on a free loopback port.
    pub(crate) async fn start(fake: Fake, config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let fake = Arc::new(fake);
        let (end, ended) = oneshot::channel();
        let shutdown = async { ended.await.unwrap_or_default() };
        let task = tokio::spawn(serve(listener, fake.clone(), config, shutdown));
        Self { address, fake, end: Some(end), task }
    }

    /// With the defaults.
    pub(crate) async fn plain() -> Self {
        Self::start(Fake::default(), ServerConfig::default()).await
    }

    /// `http://127.0.0.1:port/rpc`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/rpc", self.address)
    }

    /// Ends it and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.end.take());
        let ended = tokio::time::timeout(Duration::from_secs(20), self.task).await;
        ended.expect("the server ends").expect("no panic").expect("no error");
    }
}
