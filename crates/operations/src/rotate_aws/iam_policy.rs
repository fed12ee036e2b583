//! The smallest IAM policy with which a rotation works.

use serde_json::{Value, json};

use crate::aws_store::StoreKind;

/// A secret or parameter that the policy allows to write.
pub struct PolicyResource {
    /// The service.
    pub kind: StoreKind,
    /// The region, if it is known.
    pub region: Option<String>,
    /// The name or the ARN.
    pub path: String,
}

/// Returns the policy for the operator who rotates the keys of a user and writes them to these secrets and parameters.
///
/// It needs no login: the account is `*`, which is the one that the policy is in. `region` only tells the partition.
#[must_use]
pub fn iam_policy(user: &str, region: Option<&str>, stores: &[PolicyResource]) -> Value {
    let arn = |store: &PolicyResource| {
        let region = store.region.as_deref();
        let (partition, region, path) = (partition(region), region.unwrap_or("*"), &store.path);
        match store.kind {
            _ if path.starts_with("arn:") => path.clone(),
            // AWS appends six random characters to the name of a secret.
            StoreKind::SecretsManager => {
                format!("arn:{partition}:secretsmanager:{region}:*:secret:{path}-??????")
            }
            StoreKind::ParameterStore => {
                format!("arn:{partition}:ssm:{region}:*:parameter/{}", path.trim_start_matches('/'))
            }
        }
    };
    let of = |wanted: StoreKind| -> Vec<String> {
        stores.iter().filter(|store| store.kind == wanted).map(arn).collect()
    };
    let (secrets, parameters) = (of(StoreKind::SecretsManager), of(StoreKind::ParameterStore));
    let mut statements = vec![json!({
        "Sid": "RotateKeys",
        "Effect": "Allow",
        "Action": [
            "iam:CreateAccessKey",
            "iam:DeleteAccessKey",
            "iam:GetAccessKeyLastUsed",
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:UpdateAccessKey",
        ],
        "Resource": format!("arn:{}:iam::*:user/{user}", partition(region)),
    })];
    if !secrets.is_empty() {
        statements.push(json!({
            "Sid": "WriteSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
            "Resource": secrets,
        }));
    }
    if !parameters.is_empty() {
        statements.push(json!({
            "Sid": "WriteParameters",
            "Effect": "Allow",
            "Action": ["ssm:GetParameters", "ssm:PutParameter"],
            "Resource": parameters,
        }));
        statements.push(json!({
            "Sid": "DescribeParameters",
            "Effect": "Allow",
            "Action": "ssm:DescribeParameters",
            "Resource": "*",
        }));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Returns the partition of a region.
fn partition(region: Option<&str>) -> &'static str {
    match region {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_is_for_one_resource() {
        let store = |kind, region: &str, path: &str| PolicyResource {
            kind,
            region: Some(region.to_owned()).filter(|region| !region.is_empty()),
            path: path.to_owned(),
        };
        let stores = [
            store(StoreKind::SecretsManager, "cn-north-1", "prod/aws"),
            store(StoreKind::ParameterStore, "us-gov-west-1", "/prod/id"),
            store(StoreKind::ParameterStore, "", "/prod/secret"),
            store(StoreKind::ParameterStore, "eu-west-1", "arn:aws:ssm:eu-west-1:1:parameter/x"),
        ];
        let policy = iam_policy("airflow", Some("cn-north-1"), &stores);
        let resources: Vec<&Value> =
            policy["Statement"].as_array().expect("a list").iter().map(|one| &one["Resource"]).collect();
        assert_eq!(
            resources,
            [
                &json!("arn:aws-cn:iam::*:user/airflow"),
                &json!(["arn:aws-cn:secretsmanager:cn-north-1:*:secret:prod/aws-??????"]),
                &json!([
                    "arn:aws-us-gov:ssm:us-gov-west-1:*:parameter/prod/id",
                    "arn:aws:ssm:*:*:parameter/prod/secret",
                    "arn:aws:ssm:eu-west-1:1:parameter/x"
                ]),
                &json!("*"),
            ]
        );
        let alone = iam_policy("airflow", None, &[]);
        assert_eq!(alone["Statement"].as_array().map(Vec::len), Some(1));
    }
}
