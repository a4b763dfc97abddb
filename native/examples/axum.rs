//! A hub inside a server of one's own: axum routes to it, and publishes through it.
//!
//! ```console
//! ANONYMOUS=1 MERCURE_PUBLISHER_JWT_KEY=$(openssl rand -hex 32) cargo run -p cinnabar-native --example axum
//! curl -N 'http://localhost:3000/.well-known/mercure?match=https://example.com/books/1' &
//! curl -X PUT http://localhost:3000/books/1 -d '{"title":"Piranesi"}'
//! ```

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::put;
use cinnabar_core::OwnPublication;
use cinnabar_native::log::Storage;
use cinnabar_native::{Hub, configuration};
use tokio::net::TcpListener;

/// Saves a book, and tells those who read it.
async fn save(State(hub): State<Hub>, Path(book): Path<u32>, body: String) -> StatusCode {
    // A real one would be in a database by now.
    let topic = format!("https://example.com/books/{book}");
    match hub.publish(OwnPublication::new(topic, body)).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (config, _) = configuration::read(configuration::environment())?;
    // The path has to be the one in HUB_URL. The other is where clients find the hub's metadata.
    let (path, metadata) = (config.path().to_owned(), config.metadata_path());
    let hub = Hub::open(config, &Storage::Memory)?;
    let app = Router::new()
        .route("/books/{book}", put(save))
        .with_state(hub.clone())
        .route_service(&path, hub.clone())
        .route_service(&metadata, hub.clone());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening at http://{}", listener.local_addr()?);
    let end = async move {
        // If there is no Ctrl-C to wait for, it ends at once.
        let _ = tokio::signal::ctrl_c().await;
        // Streams would keep it running; so they end now, each with its position.
        hub.end_streams().await;
    };
    axum::serve(listener, app).with_graceful_shutdown(end).await?;
    Ok(())
}
