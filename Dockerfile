# A sidecar image with one static binary and no shell.
# Reviewed, but not yet built: the project's checks run without a container engine.
# A tag can be moved. To pin the image, pass the digest that `docker buildx imagetools inspect rust:1.95-alpine` prints:
# --build-arg RUST_IMAGE=rust:1.95-alpine@sha256:…
ARG RUST_IMAGE=rust:1.95-alpine
FROM ${RUST_IMAGE} AS build
RUN apk add --no-cache ca-certificates musl-dev
WORKDIR /src
# plugin.yaml is part of the program, for `sealwave copy`.
COPY Cargo.toml Cargo.lock build.rs plugin.yaml ./
COPY src ./src
COPY crates ./crates
# Not built, but cargo refuses a manifest whose benchmarks do not exist.
COPY benches ./benches
# Alpine's own target is musl, so the binary is static; `ldd` verifies it.
RUN cargo build --release --locked --bin sealwave && \
    if ldd target/release/sealwave 2>&1 | grep -q '=>'; then echo "sealwave is not static" >&2; exit 1; fi

# Holds only the binary and the certificate authorities that it trusts.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/sealwave /usr/local/bin/sealwave
COPY plugin.yaml /home/argocd/cmp-server/config/plugin.yaml
# The repo-server's user, which must be able to open the plugin's socket.
USER 999:999
ENV HOME=/tmp
# The sidecar overrides this with /var/run/argocd/argocd-cmp-server, from a volume of the repo-server.
ENTRYPOINT ["/usr/local/bin/sealwave"]
