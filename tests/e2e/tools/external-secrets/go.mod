// The External Secrets Operator that the end-to-end tests run. It holds the version only; scripts/e2e builds the program.
module sealwave.dev/e2e/external-secrets

go 1.26.8

require github.com/external-secrets/external-secrets v0.16.2
