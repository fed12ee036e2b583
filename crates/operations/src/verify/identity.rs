//! Checks the chain by which a service account gets a role of AWS (IRSA): its annotation, the trust of the role, the logs.

use sealwave_core::text::shell_quoted;
use sealwave_providers::{ApiResource, ClusterError};

use super::live::{LiveReader, text};
use super::report::VerificationReport;

const ROLE: &str = "/metadata/annotations/eks.amazonaws.com~1role-arn";

/// Checks the service account, and names the checks in the account of AWS, which the cluster does not know.
pub(super) fn check(
    reader: &LiveReader<'_>,
    namespace: &str,
    account: &str,
    logs: &str,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let mut checks = report.object(format!("ServiceAccount {namespace}/{account}"));
    let answer = reader.get(ApiResource::SERVICE_ACCOUNTS, namespace, account);
    let next = "create it, or correct `serviceAccountName`";
    let Some(live) = checks.readable("exists", answer, "it does not exist", next)? else { return Ok(()) };
    let role = text(&live, ROLE);
    let Some(name) = role_name(role) else {
        checks.wrong(
            "role",
            "it has no annotation `eks.amazonaws.com/role-arn` with the ARN of a role",
            "add the annotation and restart the pods; with EKS Pod Identity instead: aws eks list-pod-identity-associations --cluster-name CLUSTER",
        );
        return Ok(());
    };
    checks.right("role", format!("`{role}`"));
    checks.unknown(
        "trust",
        format!(
            "the role must trust `system:serviceaccount:{namespace}:{account}` of the cluster's OIDC provider"
        ),
        Some(format!(
            "aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument",
            shell_quoted(name)
        )),
    );
    checks.unknown("logs", "the provider's logs say which call AWS refused", Some(logs.to_owned()));
    Ok(())
}

/// Returns the name of the role in an ARN. Anything else is not put into a command.
fn role_name(arn: &str) -> Option<&str> {
    let is_arn_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-/:".contains(&byte);
    let (start, path) = arn.split_once(":role/")?;
    let is_role = start.starts_with("arn:") && start.contains(":iam::") && arn.bytes().all(is_arn_byte);
    path.rsplit('/').next().filter(|name| is_role && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::role_name;

    #[test]
    fn only_the_name_in_a_well_formed_arn_is_used() {
        assert_eq!(role_name("arn:aws:iam::123456789012:role/app"), Some("app"));
        assert_eq!(role_name("arn:aws-cn:iam::123456789012:role/team/app"), Some("app"));
        for arn in [
            "",
            "app",
            "arn:aws:iam::1:role/",
            "arn:aws:iam::1:role/$(id)",
            "arn:aws:s3:::b:role/x",
            "arn:aws:iam::1:role/a b",
        ] {
            assert_eq!(role_name(arn), None, "{arn}");
        }
    }
}
