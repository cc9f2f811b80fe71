#!/bin/bash
# With a credential helper named in config.json the secret goes to the helper alone, and the file keeps an empty mark.
source "$(dirname "$0")/../support/cli.sh"
source "$(dirname "$0")/../support/registry.sh"
start_registry htpasswd
config=$HOME/.docker/config.json
mkdir -p bin "$HOME/.docker"
PATH=$PWD/bin:$PATH
cat > bin/docker-credential-drawer <<'SH'
#!/bin/sh
drawer=$HOME/drawer; mkdir -p "$drawer"; input=$(cat); echo "$1" >> "$HOME/calls"
case $1 in
  store) printf '%s' "$input" > "$drawer/$(printf '%s' "$input" | jq -r .ServerURL | tr '/:' __)" ;;
  get) cat "$drawer/$(printf '%s' "$input" | tr '/:' __)" 2> /dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) rm -f "$drawer/$(printf '%s' "$input" | tr '/:' __)" ;;
  list) echo '{}' ;;
esac
SH
chmod +x bin/docker-credential-drawer
log_in() { printf '%s' "$REGISTRY_PASSWORD" | "$MICA" login -u "$REGISTRY_USER" --password-stdin "$REGISTRY"; }

for member in '"credsStore": "drawer"' "\"credHelpers\": {\"$REGISTRY\": \"drawer\"}"; do
  echo "{$member}" > "$config"
  expect_ok log_in
  stdout_is "Login Succeeded"
  stderr_lacks WARNING
  equal "the mark" "{\"$REGISTRY\":{}}" "$(jq -c .auths "$config")"
  equal "the helper's entry" "$(jq -nc --arg s "$REGISTRY" --arg u "$REGISTRY_USER" --arg p "$REGISTRY_PASSWORD" '{ServerURL: $s, Username: $u, Secret: $p}')" \
    "$(jq -c . "$HOME/drawer/${REGISTRY//:/_}")"
  expect_ok "$MICA" login "$REGISTRY"
  stderr_has "Authenticating with existing credentials"
  expect_ok "$MICA" logout "$REGISTRY"
  stdout_is "Removing login credentials for $REGISTRY"
  [[ ! -e $HOME/drawer/${REGISTRY//:/_} ]] || fail "the helper was not asked to erase"
  equal "no mark" '{}' "$(jq -c .auths "$config")"
  expect_ok "$MICA" logout "$REGISTRY"
done

# A helper that is gone or fails: named with its words and the file; the password is not put into the file instead.
echo '{"credsStore": "gone"}' > "$config"
expect_fail 1 log_in
stderr_has "docker-credential-gone (named by \"credsStore\" in $config): there is no such program in PATH"
equal "the file" '{"credsStore":"gone"}' "$(jq -c . "$config")"
printf '#!/bin/sh\necho "the drawer is stuck"\nexit 2\n' > bin/docker-credential-stuck
chmod +x bin/docker-credential-stuck
echo "{\"credsStore\": \"stuck\", \"auths\": {\"$REGISTRY\": {}}}" > "$config"
expect_fail 1 log_in
stderr_has "docker-credential-stuck (named by \"credsStore\" in $config): store: exit status 2: the drawer is stuck"
expect_fail 1 "$MICA" login "$REGISTRY"
stderr_has "WARNING! Stored credentials are not used: docker-credential-stuck"
expect_fail 1 "$MICA" logout "$REGISTRY"
stderr_has "the drawer is stuck"
equal "the mark is gone all the same" '{}' "$(jq -c .auths "$config")"
