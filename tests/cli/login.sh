#!/bin/bash
# login tries name and password at the registry and keeps them in Docker's file; logout removes them. skopeo reads what mica wrote and
# the other way round.
source "$(dirname "$0")/../support/cli.sh"
source "$(dirname "$0")/../support/registry.sh"
needs_program skopeo
start_registry htpasswd
config=$HOME/.docker/config.json
log_in() { printf '%s\n' "${1-$REGISTRY_PASSWORD}" | "$MICA" login -u "$REGISTRY_USER" --password-stdin "${@:2}"; }
encoded() { printf %s "$REGISTRY_USER:$1" | base64; }

# What is wrong with the call.
expect_fail 1 "$MICA" login "$REGISTRY"
stderr_has "standard input is not a terminal"
stderr_has "--password-stdin $REGISTRY"
expect_fail 1 "$MICA" login -u ada "$REGISTRY"
stderr_has "--password-stdin"
expect_fail 1 "$MICA" login --password-stdin "$REGISTRY"
stderr_has "--password-stdin needs --username"
expect_fail 1 "$MICA" login -u ada -p x --password-stdin "$REGISTRY"
stderr_has "mutually exclusive"
for nothing in '' $'\n' $'\r\n'; do
  printf %s "$nothing" > nothing
  expect_fail 1 "$MICA" login -u ada --password-stdin "$REGISTRY" < nothing
  stderr_has "password is empty"
done
expect_fail 1 "$MICA" login -u ada -p '' "$REGISTRY"
stderr_has "password is empty"
expect_fail 1 "$MICA" login -u a:b -p x "$REGISTRY"
stderr_has "colon"
expect_fail 1 "$MICA" login -u ada -p x 'bad host'
stderr_has '"bad host" is no name of a registry'
expect_fail 1 "$MICA" login a b
stderr_has "requires at most 1 argument"

# A wrong password stores nothing.
expect_fail 1 log_in wrong "$REGISTRY"
stderr_has "unauthorized"
stderr_has "$REGISTRY"
stdout_is ""
[[ ! -e $config ]] || fail "a wrong password was stored"

# The right one is kept, where others cannot read it.
expect_ok log_in "$REGISTRY_PASSWORD" "$REGISTRY"
stdout_is "Login Succeeded"
stderr_has "WARNING! Your credentials are stored unencrypted in '$config'"
equal "mode of the file" 600 "$(stat -c %a "$config")"
equal "the entry" "$(encoded "$REGISTRY_PASSWORD")" "$(jq -r ".auths[\"$REGISTRY\"].auth" "$config")"
[[ ! -e $MICA_ROOT ]] || fail "login opened the store"

# Spaces count, one line ending does not.
for ending in '' $'\n' $'\r\n' $'\r'; do
  printf '%s%s' "$REGISTRY_PASSWORD" "$ending" > password
  expect_ok "$MICA" login -u "$REGISTRY_USER" --password-stdin "$REGISTRY" < password
done
printf '%s\n\n' "$REGISTRY_PASSWORD" > password
expect_fail 1 "$MICA" login -u "$REGISTRY_USER" --password-stdin "$REGISTRY" < password
expect_ok "$MICA" login -u "$REGISTRY_USER" -p "$REGISTRY_PASSWORD" "$REGISTRY"
stderr_has "Use --password-stdin"

# A wrong password later keeps what was there, and no secret is in a debug log.
expect_fail 1 log_in "wrong word" "$REGISTRY"
equal "the entry after a wrong password" "$(encoded "$REGISTRY_PASSWORD")" "$(jq -r ".auths[\"$REGISTRY\"].auth" "$config")"
printf %s "$REGISTRY_PASSWORD" > password
expect_ok "$MICA" --debug login -u "$REGISTRY_USER" --password-stdin "$REGISTRY" < password
stderr_lacks "$REGISTRY_PASSWORD"
stderr_lacks "$(encoded "$REGISTRY_PASSWORD")"

# Stored credentials are tried again without a question.
expect_ok "$MICA" login "$REGISTRY"
stdout_is "Login Succeeded"
stderr_has "Authenticating with existing credentials... [Username: ada]"
expect_ok "$MICA" login "https://$REGISTRY/v2/"
expect_ok "$MICA" login "$REGISTRY/team/app"
sed -i "s|$(encoded "$REGISTRY_PASSWORD")|$(encoded old)|" "$config"
expect_fail 1 "$MICA" login "$REGISTRY"
stderr_has "Stored credentials invalid or expired"
stderr_has "--password-stdin"

# Other entries and unknown settings stay.
echo '{"psFormat": "{{.ID}}", "auths": {"other.example": {"auth": "YTpi", "email": "x"}}}' > "$config"
expect_ok log_in "$REGISTRY_PASSWORD" "$REGISTRY/some/path"
equal "unknown settings" '{{.ID}}' "$(jq -r .psFormat "$config")"
equal "another host" '{"auth":"YTpi","email":"x"}' "$(jq -c '.auths["other.example"]' "$config")"
equal "the hosts" "[\"$REGISTRY\",\"other.example\"]" "$(jq -c '.auths | keys' "$config")"

# skopeo takes the file as it is, for writing and reading.
mkdir image
printf 'hello\n' > image/hello
tar -cf image.tar image
expect_ok "$MICA" import image.tar app
expect_ok "$MICA" save -o app.tar app
expect_ok skopeo copy --dest-tls-verify=false --dest-authfile "$config" docker-archive:app.tar "docker://$REGISTRY/team/app:1"
expect_ok skopeo inspect --tls-verify=false --authfile "$config" "docker://$REGISTRY/team/app:1"
expect_ok skopeo login --tls-verify=false --authfile "$config" --get-login "$REGISTRY"
stdout_is "$REGISTRY_USER"

# And mica what skopeo wrote: in Docker's file, and in podman's, which it does not change.
rm "$config"
expect_ok skopeo login --tls-verify=false --authfile "$config" -u "$REGISTRY_USER" -p "$REGISTRY_PASSWORD" "$REGISTRY"
expect_ok "$MICA" login "$REGISTRY"
rm "$config"
expect_ok skopeo login --tls-verify=false -u "$REGISTRY_USER" -p "$REGISTRY_PASSWORD" "$REGISTRY"
[[ -e $XDG_RUNTIME_DIR/containers/auth.json ]] || fail "skopeo wrote elsewhere"
expect_ok "$MICA" login "$REGISTRY"
stderr_has "[Username: ada]"
expect_ok "$MICA" logout "$REGISTRY"
stderr_has "WARNING! $XDG_RUNTIME_DIR/containers/auth.json still has credentials for $REGISTRY"
rm "$XDG_RUNTIME_DIR/containers/auth.json"

# logout: also when there is nothing.
expect_ok log_in "$REGISTRY_PASSWORD" "$REGISTRY"
for _ in 1 2; do
  expect_ok "$MICA" logout "$REGISTRY"
  stdout_is "Removing login credentials for $REGISTRY"
  equal "nothing but the marks" '{}' "$(jq -c .auths "$config")"
done
expect_ok "$MICA" logout
stdout_is "Removing login credentials for https://index.docker.io/v1/"

# The folder can be another one, the file a link; what does not parse is not touched.
expect_ok log_in "$REGISTRY_PASSWORD" "$REGISTRY"
mkdir other dotfiles
printf '%s' "$REGISTRY_PASSWORD" > password
expect_ok "$MICA" --config "$PWD/other" login -u "$REGISTRY_USER" --password-stdin "$REGISTRY" < password
equal "the entry in --config" "$(encoded "$REGISTRY_PASSWORD")" "$(jq -r ".auths[\"$REGISTRY\"].auth" other/config.json)"
echo '{}' > dotfiles/docker.json
ln -sf ../../dotfiles/docker.json "$config"
expect_ok log_in "$REGISTRY_PASSWORD" "$REGISTRY"
[[ -L $config ]] || fail "the link was replaced"
equal "behind the link" "$(encoded "$REGISTRY_PASSWORD")" "$(jq -r ".auths[\"$REGISTRY\"].auth" dotfiles/docker.json)"
printf '{"auths": {' > dotfiles/docker.json
expect_fail 1 log_in "$REGISTRY_PASSWORD" "$REGISTRY"
stderr_has "$config"
equal "a broken file" '{"auths": {' "$(cat dotfiles/docker.json)"
rm "$config"

# A place that is asked first is told.
printf '{"auths": {"%s": {"auth": "%s"}}}' "$REGISTRY" "$(encoded old)" > named.json
REGISTRY_AUTH_FILE=$PWD/named.json expect_ok log_in "$REGISTRY_PASSWORD" "$REGISTRY"
stderr_has "WARNING! The credentials in $PWD/named.json are used instead"

# A registry that is not there, and a server that is none.
stop_registry "$REGISTRY_PID"
expect_fail 1 log_in "$REGISTRY_PASSWORD" "$REGISTRY"
stderr_has "$REGISTRY"
