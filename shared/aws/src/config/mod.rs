//! The environment variables of the functions. They are read here and nowhere else; a test compares them with
//! `infra/template.yaml`, and all that is wrong is reported at once.

mod values;
mod variables;

use std::net::SocketAddr;

use muster_app::SelfApproval;
use muster_app::callbacks::PublicUrl;

pub use self::values::{BusName, ClaimName, Level, QueueUrl, SecretId, SecretPrefix, TableName};
use self::values::{environment_name, public_url, self_approval};
pub use self::variables::{ConfigError, Variables, is_in_lambda, of_process, read};

/// What `muster-api` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConfig {
    pub queue: QueueUrl,
    pub dead_letters: QueueUrl,
    pub groups_claim: ClaimName,
    /// Of the secrets that inbound webhooks are verified with.
    pub secret_prefix: SecretPrefix,
    /// What proves callbacks.
    pub callback_key: SecretId,
}

/// What `muster-approval` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalConfig {
    pub queue: QueueUrl,
    pub groups_claim: ClaimName,
    pub self_approval: SelfApproval,
    /// What buttons in Slack are made with.
    pub callback_key: SecretId,
    /// What Slack signs with.
    pub slack_signing_secret: SecretId,
}

/// What `muster-worker` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerConfig {
    pub queue: QueueUrl,
    pub bus: BusName,
    pub secret_prefix: SecretPrefix,
    /// What tokens of calls, and buttons in Slack, are made with.
    pub callback_key: SecretId,
    /// Where those who are called reach the API.
    pub public_url: PublicUrl,
    /// The one address beside public ones that may be called; only on an emulator of AWS.
    pub loopback_receiver: Option<SocketAddr>,
}

/// What `muster-sweeper` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweeperConfig {
    pub queue: QueueUrl,
}

/// What `muster-dead-letter` reads: nothing more. It ends things and starts none, so it knows no queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterConfig;

/// What `muster-matcher` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatcherConfig {
    pub queue: QueueUrl,
}

/// What every function reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonConfig {
    pub installation: Installation,
    pub table: TableName,
}

/// Which installation a process belongs to, and how much it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// As in `prod`; a dimension of every metric.
    pub environment: String,
    pub level: Level,
}

/// What one function reads beside what all of them do.
pub trait FromEnvironment: Sized {
    /// Reads every variable, also after one was wrong, so that all problems are found. `None` if there was one.
    fn read(variables: &mut Variables<'_>) -> Option<Self>;
}

impl FromEnvironment for CommonConfig {
    fn read(variables: &mut Variables<'_>) -> Option<Self> {
        let environment = variables.parsed("MUSTER_ENVIRONMENT", environment_name);
        let level = variables.parsed("MUSTER_LOG", Level::parse);
        let table = variables.parsed("MUSTER_TABLE", TableName::parse);
        Some(Self { installation: Installation { environment: environment?, level: level? }, table: table? })
    }
}

impl FromEnvironment for ApiConfig {
    fn read(variables: &mut Variables<'_>) -> Option<Self> {
        let queue = variables.queue();
        let dead_letters = variables.parsed("MUSTER_DLQ_URL", QueueUrl::parse);
        let groups_claim = variables.groups_claim();
        let secret_prefix = variables.secret_prefix();
        let callback_key = variables.callback_key();
        Some(Self {
            queue: queue?,
            dead_letters: dead_letters?,
            groups_claim: groups_claim?,
            secret_prefix: secret_prefix?,
            callback_key: callback_key?,
        })
    }
}

impl FromEnvironment for ApprovalConfig {
    fn read(variables: &mut Variables<'_>) -> Option<Self> {
        let queue = variables.queue();
        let groups_claim = variables.groups_claim();
        let self_approval = variables.parsed("MUSTER_ALLOW_SELF_APPROVAL", self_approval);
        let callback_key = variables.callback_key();
        let slack_signing_secret = variables.parsed("MUSTER_SLACK_SIGNING_SECRET", SecretId::parse);
        Some(Self {
            queue: queue?,
            groups_claim: groups_claim?,
            self_approval: self_approval?,
            callback_key: callback_key?,
            slack_signing_secret: slack_signing_secret?,
        })
    }
}

impl FromEnvironment for WorkerConfig {
    fn read(variables: &mut Variables<'_>) -> Option<Self> {
        let queue = variables.queue();
        let bus = variables.parsed("MUSTER_BUS", BusName::parse);
        let secret_prefix = variables.secret_prefix();
        let callback_key = variables.callback_key();
        let public_url = variables.parsed("MUSTER_PUBLIC_URL", public_url);
        let loopback_receiver = variables.loopback_receiver();
        Some(Self {
            queue: queue?,
            bus: bus?,
            secret_prefix: secret_prefix?,
            callback_key: callback_key?,
            public_url: public_url?,
            loopback_receiver: loopback_receiver?,
        })
    }
}

impl FromEnvironment for SweeperConfig {
    fn read(variables: &mut Variables<'_>) -> Option<Self> {
        Some(Self { queue: variables.queue()? })
    }
}

impl FromEnvironment for DeadLetterConfig {
    fn read(_: &mut Variables<'_>) -> Option<Self> {
        Some(Self)
    }
}

impl FromEnvironment for MatcherConfig {
    fn read(variables: &mut Variables<'_>) -> Option<Self> {
        Some(Self { queue: variables.queue()? })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    const COMPLETE: [(&str, &str); 12] = [
        ("MUSTER_TABLE", "muster-table"),
        ("MUSTER_QUEUE_URL", "https://sqs.test/1/work"),
        ("MUSTER_DLQ_URL", "https://sqs.test/1/work-dead"),
        ("MUSTER_BUS", "muster-test"),
        ("MUSTER_SECRET_PREFIX", "muster/test/"),
        ("MUSTER_CALLBACK_KEY", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:CallbackKey-a"),
        ("MUSTER_SLACK_SIGNING_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:Slack-b"),
        ("MUSTER_PUBLIC_URL", "https://api.test"),
        ("MUSTER_ENVIRONMENT", "test"),
        ("MUSTER_GROUPS_CLAIM", "cognito:groups"),
        ("MUSTER_ALLOW_SELF_APPROVAL", "true"),
        ("MUSTER_LOG", "debug"),
    ];

    /// The complete environment, with `name` set to `value`, or taken away.
    fn changed(name: &str, value: Option<&str>) -> impl Fn(&str) -> Option<String> {
        let (name, value) = (name.to_owned(), value.map(str::to_owned));
        move |asked| {
            if asked == name {
                return value.clone();
            }
            COMPLETE.iter().find(|(known, _)| *known == asked).map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn a_complete_environment_is_read_as_it_is() {
        let source = changed("", None);
        let (common, api): (CommonConfig, ApiConfig) = read(&source).unwrap();
        assert_eq!(api.dead_letters.as_str(), "https://sqs.test/1/work-dead");
        assert_eq!(common.installation, Installation { environment: "test".into(), level: Level::Debug });
        assert_eq!(read::<ApprovalConfig>(&source).unwrap().1.self_approval, SelfApproval::Allowed);
        assert_eq!(read::<WorkerConfig>(&source).unwrap().1.secret_prefix.as_str(), "muster/test/");
        assert_eq!(read::<SweeperConfig>(&source).unwrap().1.queue, api.queue);
        assert_eq!(read::<DeadLetterConfig>(&source).unwrap().0, common);
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let error = read::<ApprovalConfig>(&|_| None).unwrap_err();
        let message = error.to_string();
        let names = [
            "MUSTER_TABLE",
            "MUSTER_ENVIRONMENT",
            "MUSTER_LOG",
            "MUSTER_QUEUE_URL",
            "MUSTER_GROUPS_CLAIM",
            "MUSTER_ALLOW_SELF_APPROVAL",
            "MUSTER_CALLBACK_KEY",
            "MUSTER_SLACK_SIGNING_SECRET",
        ];
        assert_eq!(error.problems.len(), names.len());
        for name in names {
            assert!(message.contains(&format!("{name} is not set")), "{message}");
        }
    }

    #[track_caller]
    fn check_refused<C: FromEnvironment + fmt::Debug>(name: &str, value: &str) {
        let error = read::<C>(&changed(name, Some(value))).unwrap_err();
        assert!(error.to_string().contains(&format!("{name} is {value:?} and must be")), "{error}");
    }

    #[test]
    fn a_value_that_cannot_be_right_is_refused_with_what_was_expected() {
        check_refused::<ApprovalConfig>("MUSTER_ALLOW_SELF_APPROVAL", "yes");
        check_refused::<ApprovalConfig>("MUSTER_ALLOW_SELF_APPROVAL", "");
        check_refused::<ApprovalConfig>("MUSTER_GROUPS_CLAIM", "");
        check_refused::<ApiConfig>("MUSTER_QUEUE_URL", "work");
        check_refused::<ApiConfig>("MUSTER_DLQ_URL", "");
        check_refused::<WorkerConfig>("MUSTER_SECRET_PREFIX", "/");
        check_refused::<WorkerConfig>("MUSTER_SECRET_PREFIX", "muster");
        check_refused::<WorkerConfig>("MUSTER_CALLBACK_KEY", "callback-key");
        check_refused::<WorkerConfig>("MUSTER_PUBLIC_URL", "api.test");
        check_refused::<SweeperConfig>("MUSTER_TABLE", "a b");
        check_refused::<MatcherConfig>("MUSTER_QUEUE_URL", "work");
        check_refused::<MatcherConfig>("MUSTER_LOG", "loud");
        check_refused::<MatcherConfig>("MUSTER_ENVIRONMENT", "prod\n");
    }

    /// The complete environment of a worker on an emulator at `endpoint`.
    fn emulated<'v>(endpoint: Option<&'v str>, receiver: &'v str) -> impl Fn(&str) -> Option<String> + 'v {
        move |asked| match asked {
            "AWS_ENDPOINT_URL" => endpoint.map(str::to_owned),
            "MUSTER_LOOPBACK_EGRESS" => Some(receiver.to_owned()),
            _ => changed("", None)(asked),
        }
    }

    #[test]
    fn inv_d1_a_receiver_on_loopback_is_taken_only_beside_an_emulator_on_loopback() {
        let source = changed("", None);
        assert_eq!(read::<WorkerConfig>(&source).unwrap().1.loopback_receiver, None);
        for endpoint in ["http://127.0.0.1:4566", "http://127.0.0.1:4566/", "http://[::1]:4566"] {
            let (_, worker): (_, WorkerConfig) = read(&emulated(Some(endpoint), "127.0.0.1:9999")).unwrap();
            assert_eq!(worker.loopback_receiver, Some("127.0.0.1:9999".parse().unwrap()));
        }
        for endpoint in [
            None,
            Some(""),
            Some("https://dynamodb.eu-west-1.amazonaws.com"),
            Some("http://10.0.0.1:4566"),
            Some("http://localhost:4566"),
            Some("http://127.0.0.1:4566@vpce.example:80"),
            Some("127.0.0.1:4566"),
        ] {
            let error = read::<WorkerConfig>(&emulated(endpoint, "127.0.0.1:9999")).unwrap_err();
            assert!(error.to_string().contains("AWS_ENDPOINT_URL"), "{endpoint:?}: {error}");
        }
        for receiver in ["", "127.0.0.1", "127.0.0.1:0", "10.0.0.1:80", "localhost:80", "0.0.0.0:80", "*:80"]
        {
            let source = emulated(Some("http://127.0.0.1:4566"), receiver);
            let error = read::<WorkerConfig>(&source).unwrap_err();
            assert!(error.to_string().contains("MUSTER_LOOPBACK_EGRESS is"), "{receiver:?}: {error}");
        }
    }
}
