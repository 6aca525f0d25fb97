# The `caseledger` command as a container: `docker build -t caseledger .`, or through compose.yaml.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The cache keeps what was compiled between builds; the program is copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package caseledger \
    && cp target/release/caseledger /usr/local/bin/caseledger

FROM debian:bookworm-slim
# The certificates that SMTP and database servers are checked against.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home caseledger
COPY --from=build /usr/local/bin/caseledger /usr/local/bin/caseledger
USER 10001
# The services run until they are told to stop, and take what is in hand to its end.
STOPSIGNAL SIGTERM
ENTRYPOINT ["caseledger"]
