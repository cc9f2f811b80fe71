#!/bin/bash
# --metadata-file has buildx's members; warnings only when asked for.
source "$(dirname "$0")/../support/cli.sh"
needs_program jq
busybox_image base
mkdir ctx
printf 'FROM base\nENV A 1\n' > ctx/Dockerfile
expect_ok build --metadata-file meta.json -t app -t app:two ctx
member() { jq -r ".[\"$1\"]" meta.json; }
equal "config digest" "$(image_id app)" "$(member containerimage.config.digest)"
equal "digest" "$(image_id app)" "$(member containerimage.digest)"
equal "names" "docker.io/library/app:latest,docker.io/library/app:two" "$(member image.name)"
equal "warnings" null "$(member buildx.build.warnings)"
ref=$(member buildx.build.ref)
expect_ok "$MICA" why "$ref"
stdout_has "docker.io/library/app:two"
BUILDX_METADATA_WARNINGS=1 expect_ok build --metadata-file meta.json ctx
equal "the warning" "LegacyKeyValueFormat" "$(jq -r '.["buildx.build.warnings"][0].short' meta.json | base64 -d | cut -d: -f1)"
equal "its line" 2 "$(jq -r '.["buildx.build.warnings"][0].range[0].start.line' meta.json)"
expect_ok build --metadata-file meta.json -o type=oci,dest=layout.tar ctx
equal "descriptor" "$(member containerimage.digest)" "$(jq -r '.["containerimage.descriptor"].digest' meta.json)"
equal "media type" application/vnd.oci.image.manifest.v1+json "$(jq -r '.["containerimage.descriptor"].mediaType' meta.json)"
[[ $(member containerimage.digest) != "$(member containerimage.config.digest)" ]] || fail "the manifest's digest is not the config's"
