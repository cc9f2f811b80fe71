# A registry that misbehaves on request (faulty_registry.py) for the scripts in tests/cli: source this after cli.sh.
#
#   start_faulty [FLAGS]          sets FAULTY=127.0.0.1:PORT, FAULTY_OTHER (the other origin), FAULTY_PID; killed when the script ends
#   fault JSON...                 adds faults (faults.py); no_faults forgets all
#   faulty_config JSON            changes members of its Config
#   forget_requests               begins a new log; all that counts counts from here
#   requests METHOD [PATTERN]     how many; METHOD is a regular expression, PATTERN one for path and query
#   request_log JQ-FILTER         the log through jq -r, each request an object: 'select(.status == 206) | .range'
#   bytes_sent [PATTERN]  bytes_received [PATTERN]     bodies of answers, of requests
#   layers_of NAME                digests of the layers of a single image there, a line each
#   start_proxy [FLAGS]           forward_proxy.py: sets PROXY=127.0.0.1:PORT, PROXY_LOG
#   sample_layers FOLDER SIZE...  a Dockerfile context whose image has a layer of about SIZE KiB (incompressible) for each
#   seed NAME:TAG SIZE...         such an image at the faulty registry, put there by skopeo
#   fresh                         begins with an empty store, no faults and an empty log
#   nothing_of NAME               no image, no name, nothing half done; fsck is content
#   there NAME                    the pulled image is whole
source "$support/registry.sh"
needs_program python3 curl jq setpriv
faulty_started=0

start_faulty() {
  local folder=$PWD/faulty-$((++faulty_started))
  mkdir -p "$folder"
  FAULTY_LOG=$folder/requests
  in_background "$folder/log" python3 "$support/faulty_registry.py" --log "$FAULTY_LOG" "$@"
  FAULTY_PID=$background_pid
  read -r FAULTY FAULTY_OTHER <<< "$(wait_for_address "$folder/log" "$background_pid" 's/^listening (.*)$/\1/p')"
  [[ -n $FAULTY ]] || fail "the faulty registry: $(cat "$folder/log")"
  FAULTY_SCHEME=http
  [[ $* != *--tls-cert* ]] || FAULTY_SCHEME=https
}
# Its certificate and the client's do not matter here: control CURL-ARGUMENTS... PAGE
faulty_control() {
  local page=${*: -1} answer
  answer=$(curl -skS --noproxy '*' --fail-with-body ${FAULTY_CLIENT:+--cert "$FAULTY_CLIENT.cert" --key "$FAULTY_CLIENT.key"} "${@:1:$#-1}" "$FAULTY_SCHEME://$FAULTY/_control/$page") ||
    fail "the faulty registry: $answer"
  printf '%s\n' "$answer"
}
fault() { local one; for one in "$@"; do faulty_control -d "$one" faults > /dev/null; done; }
no_faults() { faulty_control -X DELETE faults > /dev/null; }
faulty_config() { faulty_control -d "$1" config > /dev/null; }
forget_requests() { faulty_control -X DELETE log > /dev/null; }
request_log() { faulty_control log | jq -r "$@"; }
requests() { request_log -s --arg method "$1" --arg path "${2:-}" 'map(select((.method | test("^(" + $method + ")$")) and (.path + "?" + .query | test($path)))) | length'; }
bytes_sent() { request_log -s --arg path "${1:-}" 'map(select(.path + "?" + .query | test($path)) | .sent) | add // 0'; }
bytes_received() { request_log -s --arg path "${1:-}" 'map(select(.path + "?" + .query | test($path)) | .received) | add // 0'; }
manifest_of() { curl -sS --noproxy '*' -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' "http://$FAULTY/v2/${1%:*}/manifests/${1##*:}"; }
layers_of() { manifest_of "$1" | jq -r '.layers[].digest'; }

start_proxy() {
  PROXY_LOG=$PWD/proxy-requests
  in_background "$PWD/proxy-log" python3 "$support/forward_proxy.py" --log "$PROXY_LOG" "$@"
  PROXY_PID=$background_pid
  PROXY=$(wait_for_address "$PWD/proxy-log" "$background_pid" 's/^listening (.*)$/\1/p') || fail "the proxy"
}

sample_layers() {
  local folder=$1 number=0 size
  mkdir -p "$folder"
  echo "FROM scratch" > "$folder/Dockerfile"
  for size in "${@:2}"; do
    number=$((number + 1))
    # The same bytes in every run, and no two layers alike.
    openssl enc -aes-128-ctr -pass "pass:$folder $number" -nosalt -pbkdf2 -in /dev/zero 2> /dev/null | dd bs=1024 count="$size" iflag=fullblock of="$folder/file$number" status=none || true
    echo "COPY file$number /file$number" >> "$folder/Dockerfile"
  done
}

nothing_of() {
  expect_fail 1 "$MICA" inspect "$1"
  expect_ok "$MICA" images -aq
  stdout_is ""
  store_is_clean
}
seed() {
  needs_program skopeo
  sample_layers seed-context "${@:2}"
  "$MICA" --root "$PWD/seed-root" build -q -o type=oci,dest=seed.oci seed-context > .seed 2>&1 || fail "seeding: $(cat .seed)"
  skopeo copy -q --insecure-policy --dest-tls-verify=false oci-archive:seed.oci "docker://$FAULTY/$1" > .seed 2>&1 || fail "seeding: $(cat .seed)"
}
fresh() {
  rm -rf "$MICA_ROOT"
  no_faults
  forget_requests
}
there() {
  expect_ok "$MICA" inspect "$1"
  "$MICA" save "$1" > .saved || fail "saving $1"
  tar -tf .saved > /dev/null || fail "the archive of $1"
  store_is_clean
}
