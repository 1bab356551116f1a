//! A property of every kind of object in every version of AXL: what an add or update request says,
//! get gives back, list as far as lists have it, and remove takes it all away.
//!
//! The requests are generated from the tables that the program runs on. The answers are read with
//! a reader of XML of their own and compared element by element.

pub(crate) mod generate;
pub(crate) mod tree;

use crate::common::Axl;
use crate::common::AxlCall;
use crate::common::Database;
use crate::common::for_each_database;
use generate::Generator;
use selfprov::domain::schema::ObjectType;
use selfprov::domain::schema::Operation;
use selfprov::domain::schema::Places;
use selfprov::domain::schema::SchemaVersion;
use tree::Tree;

/// Objects of each kind that are made in each version.
const CASES: usize = 1;

/// What is remembered of an object between its requests.
struct Case {
    object: &'static ObjectType,
    version: SchemaVersion,
    /// What it was added with; later what it was changed to.
    said: Tree,
    uuid: String,
}

impl Case {
    fn call(&self, operation: Operation, elements: String) -> AxlCall {
        let noun = self.object.kind.noun();
        AxlCall {
            version: self.version.as_str().to_owned(),
            operation: operation.name_with(noun),
            elements,
        }
    }

    fn by_uuid(&self, operation: Operation, more: &str) -> AxlCall {
        self.call(operation, format!("<uuid>{}</uuid>{more}", self.uuid))
    }
}

fn return_of(body: &str) -> Tree {
    let tree = Tree::read(body);
    tree.find("return")
        .unwrap_or_else(|| panic!("no return in {body}"))
}

fn assert_ok(call: &AxlCall, (status, body): &(u16, String)) {
    let said = (&call.version, &call.operation, &call.elements);
    let fault = Tree::read(body).find("faultstring");
    let fault = fault.map(|fault| fault.text);
    assert_eq!(*status, 200, "{fault:?} for {said:?}");
}

/// Sends a request for each case; every one must succeed.
async fn all(axl: &Axl, calls: Vec<AxlCall>) -> Vec<String> {
    let answers = axl.batch(&calls).await;
    assert_eq!(answers.len(), calls.len());
    for (call, answer) in calls.iter().zip(&answers) {
        assert_ok(call, answer);
    }
    answers.into_iter().map(|(_, body)| body).collect()
}

async fn check_get(axl: &Axl, cases: &[Case]) {
    let gets = cases.iter().map(|case| case.by_uuid(Operation::Get, ""));
    for (case, body) in cases.iter().zip(all(axl, gets.collect()).await) {
        let got = return_of(&body);
        let got = &got.children[0];
        let (noun, version) = (case.object.kind.noun(), case.version);
        assert_eq!(
            got.attribute("uuid"),
            Some(case.uuid.as_str()),
            "{noun} {version}"
        );
        if let Some(missing) = case.said.missing_in(got) {
            panic!(
                "get{noun} {version}: {missing}\nsaid {:?}\ngot {body}",
                case.said
            );
        }
    }
}

async fn check_list(axl: &Axl, cases: &[Case]) {
    let cases: Vec<&Case> = cases
        .iter()
        .filter(|case| case.object.operations.contains(&Operation::List))
        .collect();
    let lists = cases.iter().map(|case| {
        let tags = case.object.elements_in(case.version, Places::LIST);
        let tags: Vec<&str> = tags.map(|element| element.name).collect();
        let tags = format!("<{}/>", tags.join("/><"));
        let key = Generator::search_of(case.object, &case.said);
        let more =
            format!("<searchCriteria>{key}</searchCriteria><returnedTags>{tags}</returnedTags>");
        case.call(Operation::List, more)
    });
    for (case, body) in cases.iter().zip(all(axl, lists.collect()).await) {
        let (noun, version) = (case.object.kind.noun(), case.version);
        let listed = return_of(&body);
        let mut found = listed.children.into_iter();
        let found = found.find(|object| object.attribute("uuid") == Some(&case.uuid));
        let found = found.unwrap_or_else(|| panic!("list{noun} {version} has not {}", case.uuid));
        let listed: Vec<_> = case.object.elements_in(version, Places::LIST).collect();
        let mut said = case.said.clone();
        said.children.retain(|child| {
            listed
                .iter()
                .any(|element| element.name == child.answer_name)
        });
        if let Some(missing) = said.missing_in(&found) {
            panic!("list{noun} {version}: {missing}\n{body}");
        }
    }
}

/// Every kind that can be added in `version`, each `CASES` times.
fn new_cases(generator: &mut Generator, version: SchemaVersion) -> Vec<Case> {
    let mut cases = Vec::new();
    for object in ObjectType::all() {
        let is_added = object.has_since(Operation::Add);
        if is_added.is_none_or(|since| version < since) || !generator.is_served(object) {
            continue;
        }
        // What is added with other elements than it is read with has tests of its own.
        if !object.operations.contains(&Operation::Get) {
            continue;
        }
        for _ in 0..CASES {
            cases.push(Case {
                object,
                version,
                said: generator.object(object, version, Places::ADD),
                uuid: String::new(),
            });
        }
    }
    cases
}

async fn round_trip(axl: &Axl, generator: &mut Generator, version: SchemaVersion) {
    let mut cases = new_cases(generator, version);
    let adds = cases
        .iter()
        .map(|case| case.call(Operation::Add, case.said.written()));
    let added = all(axl, adds.collect()).await;
    for (case, body) in cases.iter_mut().zip(added) {
        case.uuid = return_of(&body).text;
    }
    check_get(axl, &cases).await;
    check_list(axl, &cases).await;

    let mut updates = Vec::new();
    for case in &mut cases {
        let change = generator.object(case.object, version, Places::UPDATE);
        updates.push(case.by_uuid(Operation::Update, &change.written_inside()));
        case.said = change;
    }
    all(axl, updates).await;
    check_get(axl, &cases).await;
    check_list(axl, &cases).await;

    let removes = cases.iter().map(|case| case.by_uuid(Operation::Remove, ""));
    all(axl, removes.collect()).await;
    let gets: Vec<_> = cases
        .iter()
        .map(|case| case.by_uuid(Operation::Get, ""))
        .collect();
    for (call, (status, body)) in gets.iter().zip(axl.batch(&gets).await) {
        assert_eq!(status, 500, "{call:?}: {body}");
        assert!(body.contains("<axlcode>5007</axlcode>"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_any_version_comes_back() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let mut generator = Generator::new(&axl).await;
        let before = kept(&database).await;
        for version in SchemaVersion::ALL {
            if !version.is_old_dialect() {
                round_trip(&axl, &mut generator, version).await;
            }
        }
        let after = kept(&database).await;
        assert_eq!(after, before, "nothing is kept of what was removed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_a_version_does_not_have_is_refused_by_name() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let mut generator = Generator::new(&axl).await;
        for version in SchemaVersion::ALL {
            if version.is_old_dialect() {
                continue;
            }
            let mut calls = Vec::new();
            for case in new_cases(&mut generator, version) {
                let mut said = case.said.clone();
                let unknown = generator.misplaced(case.object, version, &mut said);
                calls.push((unknown, case.call(Operation::Add, said.written())));
            }
            let (unknown, calls): (Vec<String>, Vec<AxlCall>) = calls.into_iter().unzip();
            let answers = axl.batch(&calls).await;
            for ((unknown, call), (status, body)) in unknown.iter().zip(&calls).zip(answers) {
                assert_eq!(status, 500, "{call:?} {body}");
                assert!(
                    body.contains(unknown.as_str()),
                    "{unknown} is not named: {body}"
                );
            }
        }
    })
    .await;
}

/// Elements that are kept for objects.
async fn kept(database: &Database) -> i64 {
    use sqlx::Connection as _;
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
    let mut count = 0;
    for statement in [
        "SELECT COUNT(*) FROM attribute",
        "SELECT COUNT(*) FROM attribute_reference",
    ] {
        let query = sqlx::query_scalar::<_, i64>(statement);
        count += query.fetch_one(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    count
}
