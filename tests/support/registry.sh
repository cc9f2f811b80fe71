# Real registries for the scripts in tests/cli: source this after cli.sh (and make users before registries are started).
# Sourcing it gives the script a HOME of its own, so that nobody's credentials and settings are read or written.
#
#   start_registry [htpasswd] [token[=FLAGS]] [tls] [proxy=URL]
#       docker-registry on a free port of 127.0.0.1, killed when the script ends. Sets REGISTRY=127.0.0.1:PORT, REGISTRY_FOLDER
#       (data/, config.yml), REGISTRY_LOG (its access log), REGISTRY_PID.
#         htpasswd  wants basic authentication: REGISTRY_USER, REGISTRY_PASSWORD
#         token     wants tokens of token_service.py, which knows the same user; repositories below public/ may be pulled by anybody.
#                   FLAGS go to the service ("token=--expires 2"). Sets TOKEN_SERVICE (its URL) and TOKEN_LOG (a line a request).
#         tls       speaks TLS (so does the token service) with a certificate by REGISTRY_CA, for 127.0.0.1 and localhost
#         proxy=URL is a pull-through cache of the registry at URL
#   stop_registry PID
#   trust_registry [HOST:PORT]  puts REGISTRY_CA where mica, podman and skopeo look for it
#   requests_to PATTERN         how many lines of REGISTRY_LOG match the extended regular expression: '"GET /v2/[^"]*/blobs/'
REGISTRY_USER=ada REGISTRY_PASSWORD='love:lace ü'
registries_started=0 registry_pids=()

export HOME=$PWD/home XDG_RUNTIME_DIR=$PWD/run
unset DOCKER_CONFIG DOCKER_AUTH_CONFIG REGISTRY_AUTH_FILE XDG_CONFIG_HOME CONTAINERS_REGISTRIES_CONF SSL_CERT_FILE SSL_CERT_DIR 2> /dev/null || true
mkdir -p "$HOME" "$XDG_RUNTIME_DIR"

# The address in a server's log, once it is there: wait_for_address LOG PID SED-EXPRESSION
wait_for_address() {
  local tries address
  for ((tries = 0; tries < 200; tries++)); do
    address=$(sed -nE "$3" "$1" 2> /dev/null | sed -n 1p)
    [[ -z $address ]] || { echo "$address"; return 0; }
    kill -0 "$2" 2> /dev/null || break
    sleep 0.05
  done
  echo "did not start: $(tail -5 "$1")" >&2
  return 1
}

# A server that dies with this script however that ends: in_background LOG COMMAND... sets background_pid.
in_background() {
  local log=$1
  shift
  setpriv --pdeathsig KILL "$@" > "$log" 2>&1 < /dev/null &
  background_pid=$!
  registry_pids+=("$background_pid")
  # After whatever else was to be done at the end.
  local before
  before=$(trap -p EXIT | sed -E "s/^trap -- '(.*)' EXIT$/\1/")
  [[ $before == *stop_registries* ]] || trap "stop_registries; $before" EXIT
}

stop_registry() {
  kill "$1" 2> /dev/null || true
  wait "$1" 2> /dev/null || true
}
stop_registries() {
  local pid
  for pid in "${registry_pids[@]}"; do stop_registry "$pid"; done
}

# FOLDER/ca.crt, and server.crt and server.key signed by it.
make_certificates() {
  local folder=$1
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Test authority" -keyout "$folder/ca.key" -out "$folder/ca.crt" 2> /dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=127.0.0.1" -keyout "$folder/server.key" -out "$folder/server.csr" 2> /dev/null
  printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n' > "$folder/server.ext"
  openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 30 -extfile "$folder/server.ext" -out "$folder/server.crt" 2> /dev/null
}

start_token_service() {
  local folder=$1 flags=$2 tls=$3
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Test tokens" -keyout "$folder/token.key" -out "$folder/token.crt" 2> /dev/null
  [[ -z $tls ]] || flags+=" --tls-cert $folder/server.crt --tls-key $folder/server.key"
  TOKEN_LOG=$folder/token.log
  # shellcheck disable=SC2086  # flags are words
  in_background "$TOKEN_LOG" python3 "$support/token_service.py" --key "$folder/token.key" --certificate "$folder/token.crt" \
    --user "$REGISTRY_USER" --password "$REGISTRY_PASSWORD" $flags
  TOKEN_SERVICE=$(wait_for_address "$TOKEN_LOG" "$background_pid" 's/^listening (.*)$/\1/p') || fail "the token service"
}

start_registry() {
  local word auth= tls= proxy= flags= folder=$PWD/registry-$((++registries_started))
  for word in "$@"; do
    case $word in
      htpasswd) auth=htpasswd ;;
      token) auth=token ;;
      token=*) auth=token flags=${word#token=} ;;
      tls) tls=1 ;;
      proxy=*) proxy=${word#proxy=} ;;
      *) fail "start_registry does not know $word" ;;
    esac
  done
  needs_program docker-registry setpriv
  mkdir -p "$folder/data"
  [[ -z $tls ]] || { needs_program openssl; make_certificates "$folder"; REGISTRY_CA=$folder/ca.crt; }
  {
    printf 'version: 0.1\nlog: {level: info, formatter: text}\n'
    printf 'storage: {filesystem: {rootdirectory: "%s"}, delete: {enabled: true}}\n' "$folder/data"
    [[ -z $proxy ]] || printf 'proxy: {remoteurl: "%s"}\n' "$proxy"
    case $auth in
      htpasswd)
        needs_program htpasswd
        htpasswd -Bbn "$REGISTRY_USER" "$REGISTRY_PASSWORD" > "$folder/htpasswd"
        printf 'auth: {htpasswd: {realm: Test, path: "%s"}}\n' "$folder/htpasswd" ;;
      token)
        needs_program openssl python3
        start_token_service "$folder" "$flags" "$tls"
        printf 'auth: {token: {realm: "%s", service: test-registry, issuer: test-issuer, rootcertbundle: "%s"}}\n' "$TOKEN_SERVICE" "$folder/token.crt" ;;
    esac
    printf 'http:\n  addr: 127.0.0.1:0\n'
    [[ -z $tls ]] || printf '  tls: {certificate: "%s", key: "%s"}\n' "$folder/server.crt" "$folder/server.key"
  } > "$folder/config.yml"
  # Variables that begin with REGISTRY_ would change its configuration.
  in_background "$folder/log" env -i PATH="$PATH" HOME="$HOME" docker-registry serve "$folder/config.yml"
  REGISTRY_PID=$background_pid REGISTRY_LOG=$folder/log REGISTRY_FOLDER=$folder
  REGISTRY=$(wait_for_address "$folder/log" "$background_pid" 's/.*listening on (127\.0\.0\.1:[0-9]+).*/\1/p') || fail "docker-registry"
}

trust_registry() {
  local folder
  for folder in "$HOME/.config/containers/certs.d" "$HOME/.config/docker/certs.d"; do install -D -m 644 "$REGISTRY_CA" "$folder/${1:-$REGISTRY}/ca.crt"; done
}
requests_to() { grep -cE -- "$1" "$REGISTRY_LOG" || true; }
