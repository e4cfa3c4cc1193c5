//! Items that this version of Muster cannot read: damaged ones, and those of a newer version.

use aws_sdk_dynamodb::types::AttributeValue;
use muster_app::table::{Key, Query, TableErrorKind, Write};
use muster_store::keys::ItemKey;

use super::records::{execution, execution_id, keys, runbook_id};
use super::{Behind, Engine, on_both_engines};

on_both_engines!(
    an_item_of_a_newer_schema_is_corrupt,
    an_item_of_an_unknown_kind_is_corrupt,
    an_item_whose_data_is_damaged_is_corrupt,
    an_item_with_the_data_of_another_is_corrupt,
    a_corrupt_item_harms_only_itself,
);

enum Damage {
    Schema(u32),
    Kind(&'static str),
    Data(String),
}

impl Engine {
    /// Changes the stored item of execution 1 behind the table's back.
    async fn damage(&self, damage: Damage) {
        let key = ItemKey::of(&Key::Execution(execution_id(1)));
        match &self.behind {
            Behind::Sqlite(directory) => {
                let connection = rusqlite::Connection::open(directory.path().join("muster.db")).unwrap();
                let (column, value): (_, rusqlite::types::Value) = match damage {
                    Damage::Schema(schema) => ("schema", i64::from(schema).into()),
                    Damage::Kind(kind) => ("kind", kind.to_owned().into()),
                    Damage::Data(data) => ("data", data.into()),
                };
                let sql = format!("UPDATE items SET {column} = ?1 WHERE pk = ?2 AND sk = ?3");
                assert_eq!(connection.execute(&sql, (value, key.pk, key.sk)).unwrap(), 1);
            }
            Behind::Dynamo(dynamo) => {
                let (attribute, value) = match damage {
                    Damage::Schema(schema) => ("schema", AttributeValue::N(schema.to_string())),
                    Damage::Kind(kind) => ("kind", AttributeValue::S(kind.into())),
                    Damage::Data(data) => ("data", AttributeValue::S(data)),
                };
                let update = dynamo.client().update_item().table_name(dynamo.table());
                let update = update.key("pk", AttributeValue::S(key.pk)).key("sk", AttributeValue::S(key.sk));
                let update = update.update_expression("SET #damaged = :value");
                let update = update.expression_attribute_names("#damaged", attribute);
                update.expression_attribute_values(":value", value).send().await.unwrap();
            }
        }
    }
}

async fn check_corrupt(engine: Engine, damage: Damage) {
    engine.commit(vec![Write::create(execution(1)), Write::create(execution(2))]).await;
    engine.damage(damage).await;
    let key = Key::Execution(execution_id(1));
    let error = engine.table.get(&key).await.unwrap_err();
    assert_eq!(error.kind, TableErrorKind::Corrupt, "{error:?}");
    assert!(error.doing.contains(execution_id(1).as_str()), "{}", error.doing);
    let both = [key, Key::Execution(execution_id(2))];
    assert_eq!(engine.table.batch_get(&both).await.unwrap_err().kind, TableErrorKind::Corrupt);
}

async fn an_item_of_a_newer_schema_is_corrupt(engine: Engine) {
    check_corrupt(engine, Damage::Schema(2)).await;
}

async fn an_item_of_an_unknown_kind_is_corrupt(engine: Engine) {
    check_corrupt(engine, Damage::Kind("workflow")).await;
}

async fn an_item_whose_data_is_damaged_is_corrupt(engine: Engine) {
    check_corrupt(engine, Damage::Data("{\"id\":".into())).await;
}

async fn an_item_with_the_data_of_another_is_corrupt(engine: Engine) {
    let other = serde_json::to_string(&execution(2)).unwrap();
    check_corrupt(engine, Damage::Data(other)).await;
}

/// The sweeper must get past an item that it cannot read, and so must a list of the API.
async fn a_corrupt_item_harms_only_itself(engine: Engine) {
    for number in 0..3 {
        engine.commit(vec![Write::create(execution(number))]).await;
    }
    engine.damage(Damage::Schema(2)).await;
    let listed = engine.list(&Query::ExecutionsOfRunbook { runbook: runbook_id(1) }).await;
    assert_eq!(keys(&listed), [0, 2].map(|number| Key::Execution(execution_id(number))));
}
