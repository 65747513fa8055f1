# One exporter in an image that holds its binary, the certificates of the public authorities, and nothing else:
#
#     docker build --build-arg EXPORTER=okx --build-arg REVISION=$(git rev-parse --short=12 HEAD) --tag okx-exporter .
#
# Needs BuildKit, which is Docker's default since version 23; before it, say DOCKER_BUILDKIT=1. `make images` builds all.
# With BINARY=prebuilt nothing is compiled and no base image is needed: the binary is the one that `make dist` left in dist/.

# The base image comes from here; a mirror or a pinned digest can take its place.
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG BINARY=source

FROM ${RUST_IMAGE} AS source
WORKDIR /src
COPY . .
ARG EXPORTER
ARG REVISION
# Naming the target keeps the flags from the build scripts and macros, which cannot be static. The C library is glibc: from 2.34 on it
# resolves names without loading anything. What was compiled is kept between builds, one folder an architecture: five
# exporters compile what they share once.
RUN --mount=type=cache,id=exchange-exporters-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=exchange-exporters-target,target=/cache,sharing=locked \
    : "${EXPORTER:?say which, such as --build-arg EXPORTER=okx}" && \
    target=$(rustc -vV | sed -n 's/^host: //p') && \
    CARGO_TARGET_DIR=/cache/$target BUILD_REVISION=$REVISION RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --locked --release --target "$target" --package "$EXPORTER-exporter" && \
    install -D -m 0755 "/cache/$target/$target/release/$EXPORTER-exporter" /image/exporter && \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt

FROM scratch AS prebuilt
ARG EXPORTER
ARG TARGETARCH
COPY dist/${TARGETARCH}/${EXPORTER}-exporter /image/exporter
COPY dist/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt

FROM ${BINARY} AS binary

FROM scratch
COPY --from=binary /image /
# Nobody's number, and a group of its own: nothing in the image belongs to it, and nothing in it needs to be written.
USER 65532:65532
# Which one depends on the exporter; the compose file and the builds of `make images` say it.
ARG PORT=8000-8005
EXPOSE ${PORT}
# Ready means that every stream is live: the exporter's own /-/ready. Exit status and text are in `docker inspect`.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["/exporter", "healthcheck"]
# SIGTERM, which is the default, ends it within two seconds.
ENTRYPOINT ["/exporter"]
ARG EXPORTER
ARG REVISION
ARG VERSION
LABEL org.opencontainers.image.title="${EXPORTER}-exporter" \
      org.opencontainers.image.description="Prometheus exporter for one crypto exchange or for trading bots" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
