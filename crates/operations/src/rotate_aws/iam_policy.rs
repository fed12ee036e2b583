//! The smallest IAM policy with which a rotation works.

use serde_json::{Value, json};

use crate::aws_store::StoreKind;

/// Returns the policy for the operator who rotates the keys of a user and writes them to these secrets and parameters.
///
/// `user_arn` also names the account and the partition.
#[must_use]
pub fn iam_policy(user_arn: &str, region: &str, stores: &[(StoreKind, String)]) -> Value {
    let part = |index: usize| user_arn.split(':').nth(index).unwrap_or("*");
    let (partition, account) = (part(1), part(4));
    let arn = |kind: StoreKind, path: &String| match kind {
        _ if path.starts_with("arn:") => path.clone(),
        // AWS appends six random characters to the name of a secret.
        StoreKind::SecretsManager => {
            format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{path}-??????")
        }
        StoreKind::ParameterStore => {
            format!("arn:{partition}:ssm:{region}:{account}:parameter/{}", path.trim_start_matches('/'))
        }
    };
    let of = |wanted: StoreKind| -> Vec<String> {
        stores.iter().filter(|(kind, _)| *kind == wanted).map(|(kind, path)| arn(*kind, path)).collect()
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
        "Resource": user_arn,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_is_for_one_resource() {
        let stores = [
            (StoreKind::SecretsManager, "prod/aws".to_owned()),
            (StoreKind::ParameterStore, "/prod/id".to_owned()),
            (StoreKind::ParameterStore, "arn:aws:ssm:eu-west-1:1:parameter/x".to_owned()),
        ];
        let policy = iam_policy("arn:aws-cn:iam::123456789012:user/ops/airflow", "cn-north-1", &stores);
        let resources: Vec<&Value> =
            policy["Statement"].as_array().expect("a list").iter().map(|one| &one["Resource"]).collect();
        assert_eq!(
            resources,
            [
                &json!("arn:aws-cn:iam::123456789012:user/ops/airflow"),
                &json!(["arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:prod/aws-??????"]),
                &json!([
                    "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/prod/id",
                    "arn:aws:ssm:eu-west-1:1:parameter/x"
                ]),
                &json!("*"),
            ]
        );
        let alone = iam_policy("arn:aws:iam::123456789012:user/airflow", "eu-west-1", &[]);
        assert_eq!(alone["Statement"].as_array().map(Vec::len), Some(1));
    }
}
