#!/bin/bash
# Registries with a token service: login goes through it, and keeps the refresh token that it gives instead of the password. With TLS
# the authority is looked for in certs.d.
source "$(dirname "$0")/../support/cli.sh"
source "$(dirname "$0")/../support/registry.sh"
needs_program skopeo
config=$HOME/.docker/config.json
log_in() { printf '%s' "${1-$REGISTRY_PASSWORD}" | "$MICA" login -u "$REGISTRY_USER" --password-stdin "$REGISTRY"; }

start_registry token
expect_fail 1 log_in wrong
stderr_has "incorrect username or password"
[[ ! -e $config ]] || fail "a wrong password was stored"
expect_ok log_in
stdout_is "Login Succeeded"
grep -q 'offline' "$TOKEN_LOG" || fail "no refresh token was asked for: $(cat "$TOKEN_LOG")"
[[ -n $(jq -r ".auths[\"$REGISTRY\"].identitytoken" "$config") ]] || fail "no identity token: $(cat "$config")"
equal "no password beside it" "$REGISTRY_USER:" "$(jq -r ".auths[\"$REGISTRY\"].auth" "$config" | base64 -d)"
expect_ok "$MICA" login "$REGISTRY"
stderr_has "Authenticating with existing credentials... [Username: ada]"
grep -q 'grant=refresh_token' "$TOKEN_LOG" || fail "the refresh token was not used: $(cat "$TOKEN_LOG")"
# skopeo can use it, too.
mkdir empty
printf '{}' > empty/44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}' > empty/manifest.json
echo 'Directory Transport Version: 1.1' > empty/version
expect_ok skopeo copy --dest-tls-verify=false --dest-authfile "$config" dir:empty "docker://$REGISTRY/team/empty:1"
expect_ok skopeo inspect --raw --tls-verify=false --authfile "$config" "docker://$REGISTRY/team/empty:1"

# A service that knows only GET.
start_registry "token=--no-post --field access_token"
expect_ok log_in
stdout_is "Login Succeeded"

start_registry token tls
expect_fail 1 log_in
stderr_has "certs.d/$REGISTRY"
stderr_lacks "Login Succeeded"
equal "nothing was sent to a server nobody knows" 0 "$(grep -c ^GET "$TOKEN_LOG" || true)"
trust_registry
expect_ok log_in
stdout_is "Login Succeeded"
