//! A pooler is between a log and Postgres.

use sse_core::Position;
use sse_core::store::{Store, StoreError};
use sse_log_postgres::{EngineOptions, PostgresStore, Settings, StoreOptions, connect};
use sse_test_kit::engines::EngineServer;
use sse_test_kit::engines::{PgBouncer, Postgres};
use tokio_postgres::NoTls;

use crate::tools::{append, soon, take, told};

async fn store(pooler: &PgBouncer, settings: Settings) -> PostgresStore {
    let options = EngineOptions::new().settings(settings);
    let shared = connect(&pooler.url(), options).await.expect("a URL");
    shared.store("log", StoreOptions::default()).await.expect("a name")
}

/// It refuses the settings, or drops them where it was told to: then a log would leave its own to others of the pool.
#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused_by_name_and_its_other_clients_keep_their_settings()
{
    let postgres = Postgres::start().await;
    for more in ["", "ignore_startup_parameters = options"] {
        let pooler = PgBouncer::start(postgres.address(), "transaction", more).await;
        let store = store(&pooler, Settings::AtStartup).await;
        let refused = soon(store.bounds()).await.expect_err("it pools by transaction");
        assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
        assert!(told(&refused).contains("PgBouncer"), "{}", told(&refused));
        let followed = soon(store.follow(Position::START)).await.expect_err("as well");
        assert!(told(&followed).contains("PgBouncer"), "{}", told(&followed));

        let (client, connection) =
            tokio_postgres::connect(&pooler.url(), NoTls).await.expect("it pools");
        tokio::spawn(connection);
        for setting in ["statement_timeout", "lock_timeout"] {
            let shown = client.simple_query(&format!("SHOW {setting}")).await.expect("a setting");
            let row = shown.iter().find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            assert_eq!(row, Some("0"), "{setting}");
        }
    }
}

#[tokio::test]
async fn a_pooler_that_pools_by_session_is_used_if_the_settings_are_made_by_session() {
    let postgres = Postgres::start().await;
    let pooler = PgBouncer::start(postgres.address(), "session", "").await;
    let store = store(&pooler, Settings::BySession).await;
    let mut pages = soon(store.follow(Position::START)).await.expect("followed");
    append(&store, "one").await;
    assert_eq!(take(&mut pages, 1).await[0].1, "one");
}
