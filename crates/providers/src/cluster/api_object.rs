//! The objects that requests are about: their paths, and how messages name them.

#![cfg_attr(not(feature = "k8s"), allow(dead_code, reason = "only the client needs paths"))]

use std::fmt;

/// A resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiResource<'a> {
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The version in the group.
    pub version: &'a str,
    /// The plural in lower case, as in paths and in RBAC rules.
    pub plural: &'a str,
    /// The kind, as in manifests.
    pub kind: &'a str,
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident = $group:literal, $version:literal, $plural:literal, $kind:literal;)*) => {
        $($(#[$doc])* pub const $name: ApiResource<'static> =
            ApiResource { group: $group, version: $version, plural: $plural, kind: $kind };)*
    };
}

impl ApiResource<'static> {
    resources! {
        /// Applications of Argo CD.
        APPLICATIONS = "argoproj.io", "v1alpha1", "applications", "Application";
        /// Deployments of the group `apps`.
        DEPLOYMENTS = "apps", "v1", "deployments", "Deployment";
        /// Pods of the core group.
        PODS = "", "v1", "pods", "Pod";
        /// Secrets. Their values are returned by [`super::ClusterClient::secret`] alone.
        SECRETS = "", "v1", "secrets", "Secret";
        /// SealedSecrets of the controller of sealed-secrets.
        SEALED_SECRETS = "bitnami.com", "v1alpha1", "sealedsecrets", "SealedSecret";
        /// Services of the core group.
        SERVICES = "", "v1", "services", "Service";
        /// Service accounts of the core group.
        SERVICE_ACCOUNTS = "", "v1", "serviceaccounts", "ServiceAccount";
    }
}

/// An object, or all objects of a resource in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiObject<'a> {
    /// The resource.
    pub resource: ApiResource<'a>,
    /// The namespace; `None` for a resource of the cluster, or for all namespaces.
    pub namespace: Option<&'a str>,
    /// The name; `None` for all objects.
    pub name: Option<&'a str>,
}

impl<'a> ApiObject<'a> {
    /// Returns an object in a namespace.
    #[must_use]
    pub const fn named(resource: ApiResource<'a>, namespace: &'a str, name: &'a str) -> Self {
        Self { resource, namespace: Some(namespace), name: Some(name) }
    }

    /// Returns all objects of a resource in a namespace.
    #[must_use]
    pub const fn all_in(resource: ApiResource<'a>, namespace: &'a str) -> Self {
        Self { resource, namespace: Some(namespace), name: None }
    }

    /// Returns all objects of a resource.
    #[must_use]
    pub const fn all(resource: ApiResource<'a>) -> Self {
        Self { resource, namespace: None, name: None }
    }

    /// Returns the path of the object; `None` if a name cannot be a part of a path.
    pub(crate) fn path(&self) -> Option<String> {
        let ApiResource { group, version, plural, .. } = self.resource;
        let mut path = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
        let namespace = self.namespace.map(|namespace| ["namespaces", namespace]);
        let parts = [version].into_iter().chain(namespace.into_iter().flatten());
        for part in parts.chain([plural]).chain(self.name) {
            if !is_path_segment(part) {
                return None;
            }
            path.push('/');
            path.push_str(part);
        }
        Some(path)
    }
}

impl fmt::Display for ApiObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "{} `{}`", self.resource.kind, shown(name))?,
            None => write!(f, "the list of {}s", self.resource.kind)?,
        }
        match self.namespace {
            Some(namespace) => write!(f, " in namespace `{}`", shown(namespace)),
            None => Ok(()),
        }
    }
}

/// A port of a service, for requests through the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceProxy {
    /// The namespace of the service.
    pub namespace: String,
    /// The name of the service.
    pub service: String,
    /// The name or number of its port; empty for a port without a name.
    pub port: String,
}

impl ServiceProxy {
    /// Returns the name of the service as in paths and in `resourceNames` of RBAC rules.
    #[must_use]
    pub fn proxied_name(&self) -> String {
        format!("http:{}:{}", self.service, self.port)
    }

    pub(crate) fn path(&self, path: &str) -> Option<String> {
        let parts =
            [&self.namespace, &self.service].into_iter().chain((!self.port.is_empty()).then_some(&self.port));
        if !parts.into_iter().all(|part| is_path_segment(part)) {
            return None;
        }
        let name = self.proxied_name();
        Some(format!("/api/v1/namespaces/{}/services/{name}/proxy/{path}", self.namespace))
    }
}

impl fmt::Display for ServiceProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service `{}` in namespace `{}`", shown(&self.service), shown(&self.namespace))
    }
}

/// The longest name.
const MAX_NAME: usize = 253;

/// Reports whether a text is one part of a path: a name from a manifest or a response could be anything.
fn is_path_segment(text: &str) -> bool {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    !text.is_empty()
        && text.len() <= MAX_NAME
        && text.bytes().all(is_name_byte)
        && text != "."
        && text != ".."
}

/// Returns a name for messages. No valid one is longer.
fn shown(name: &str) -> String {
    sealwave_core::text::ellipsize(sealwave_core::diagnostic::printable(name), MAX_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_only_the_named_object() {
        let secret = |name| ApiObject::named(ApiResource::SECRETS, "shop", name);
        assert_eq!(secret("db").path().as_deref(), Some("/api/v1/namespaces/shop/secrets/db"));
        let application = ApiObject::all(ApiResource::APPLICATIONS);
        assert_eq!(application.path().as_deref(), Some("/apis/argoproj.io/v1alpha1/applications"));
        for name in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "a\nb", "a#b", "ä"] {
            assert_eq!(secret(name).path(), None, "{name:?}");
            assert_eq!(ApiObject::named(ApiResource::SECRETS, name, "db").path(), None, "{name:?}");
        }
    }

    #[test]
    fn a_port_may_have_no_name() {
        let proxy = |port: &str| ServiceProxy {
            namespace: "ns".to_owned(),
            service: "sealed-secrets".to_owned(),
            port: port.to_owned(),
        };
        let path = |port| proxy(port).path("v1/cert.pem");
        let start = "/api/v1/namespaces/ns/services/http:sealed-secrets:";
        assert_eq!(path("http"), Some(format!("{start}http/proxy/v1/cert.pem")));
        assert_eq!(path(""), Some(format!("{start}/proxy/v1/cert.pem")));
        assert_eq!(path("a/b"), None);
    }
}
