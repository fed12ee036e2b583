# A sidecar image with one static binary. Nothing in it can run a shell.
# Written and read with care, but not yet built: no container engine runs where the project is checked.
# A tag can be moved. To build from an image that cannot, name it by its digest, as `docker buildx imagetools inspect
# rust:1.95-alpine` prints it: --build-arg RUST_IMAGE=rust:1.95-alpine@sha256:…
ARG RUST_IMAGE=rust:1.95-alpine
FROM ${RUST_IMAGE} AS build
RUN apk add --no-cache ca-certificates musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
COPY src ./src
COPY benches ./benches
# Alpine's own target is musl, so the binary is static; the check makes sure.
RUN cargo build --release --locked --bin sealwave && \
    if ldd target/release/sealwave 2>&1 | grep -q '=>'; then echo "sealwave is not static" >&2; exit 1; fi

# Nothing but the binary and the certificate authorities that it trusts.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/sealwave /usr/local/bin/sealwave
COPY plugin.yaml /home/argocd/cmp-server/config/plugin.yaml
# The repo-server's user, who must be able to open the plugin's socket.
USER 999:999
ENV HOME=/tmp
# In the sidecar the command is /var/run/argocd/argocd-cmp-server, from a volume of the repo-server; without it, this.
ENTRYPOINT ["/usr/local/bin/sealwave"]
