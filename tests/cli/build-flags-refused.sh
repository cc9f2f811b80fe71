#!/bin/bash
# What mica does not do is refused by name, with the reason and Docker's status.
source "$(dirname "$0")/../support/cli.sh"
printf 'FROM scratch\nENV A=1\n' > Dockerfile
refused() {
  expect_fail "$1" "$MICA" build "${@:3}" .
  stderr_has "$2"
  stderr_lacks "#1"
}
refused 125 "--squash: " --squash
refused 125 "--compress: " --compress
refused 125 "--memory: " --memory=1g
refused 125 "--cpu-shares: " -c 2
refused 125 "unknown flag: --no-cach" --no-cach
refused 125 'invalid argument "x" for "--ulimit" flag' --ulimit x
refused 125 'invalid argument "x" for "--shm-size" flag' --shm-size x
refused 1 "--provenance=true is not supported" --provenance=true
refused 1 "--sbom=true is not supported" --sbom=true
refused 1 "--attest" --attest type=sbom
refused 1 'network mode "mine" is not supported' --network mine
refused 1 'unknown entitlement "network.hosts"' --allow network.hosts
refused 1 "the name is empty" --build-arg =x
refused 1 "--debug opens a shell" --debug
refused 1 "unknown --call method" --call=bogus
expect_ok "$MICA" build --provenance=false --sbom=false --attest type=provenance,disabled=true --rm --force-rm --builder default --disable-content-trust .
expect_fail 1 "$MICA" build
stderr_has "'mica build' requires 1 argument"
expect_ok "$MICA" build --help
stdout_has "Usage:  mica build [OPTIONS] PATH | URL | -"
stdout_has "--explain"
stdout_lacks "--squash"
