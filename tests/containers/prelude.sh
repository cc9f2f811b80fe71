# Sourced by every case, and by the scripts of tests/compose/projects: what a case may use besides `docker` itself.
#
#   t COMMAND...        runs it and writes a transcript: the command, stdout ("  "), stderr ("! "), the exit status ("= ")
#   e COMMAND...        the same for a command that ends with a message of the program: its words are not compared, that there are some is
#   says REGEX          whether the messages of the last t or e hold it (any case)
#   q COMMAND...        work that is not compared; prints only when it fails
#   until_ok COMMAND... polls for up to 15 s until it succeeds
#   status_is NAME STATUS, health_is NAME STATUS   polls the container's state
#   http HOST:PORT PATH   the body that a server gives (from here, without any client program)
#   retry COMMAND...    polls as until_ok, and prints what the first success printed
#   sorted COMMAND...   its stdout in byte order
# Standard input is empty unless the case pipes something in.
set -u
export LC_ALL=C
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES 2> /dev/null || true
transcript=$(mktemp -d)
trap 'rm -rf "${transcript:?}"' EXIT

show_command() {
  local word line=
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:=,@%+-]* | '') line+=" '$word'" ;;
      *) line+=" $word" ;;
    esac
  done
  echo "\$$line"
}
t() {
  local status=0
  show_command "$@"
  "$@" > "$transcript/out" 2> "$transcript/err" || status=$?
  sed 's/^/  /' "$transcript/out"
  sed 's/^/! /' "$transcript/err"
  echo "= $status"
  return 0
}
e() {
  local status=0
  show_command "$@"
  "$@" > "$transcript/out" 2> "$transcript/err" || status=$?
  sed 's/^/  /' "$transcript/out"
  [[ ! -s $transcript/err ]] || echo "! <message>"
  echo "= $status"
  return 0
}
says() { if grep -qiE -- "$1" "$transcript/err"; then echo "says $1"; else echo "does not say $1"; sed 's/^/  > /' "$transcript/err"; fi; }
q() {
  local status=0
  "$@" > "$transcript/q" 2>&1 || status=$?
  [[ $status == 0 ]] || { show_command "$@"; echo "= $status, which was not expected:"; cat "$transcript/q"; }
  return 0
}
until_ok() {
  local end=$((SECONDS + 15))
  until "$@" > "$transcript/poll" 2>&1; do
    [[ $SECONDS -lt $end ]] || { echo "never came true: $*"; cat "$transcript/poll"; return 0; }
    sleep 0.1
  done
}
retry() { until_ok "$@"; cat "$transcript/poll"; }
has_status() { [[ $(docker inspect -f '{{.State.Status}}' "$1") == "$2" ]]; }
status_is() { until_ok has_status "$1" "$2"; }
has_health() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$1") == "$2" ]]; }
health_is() { until_ok has_health "$1" "$2"; }
sorted() { "$@" | sort; }
http() {
  exec 9<> "/dev/tcp/${1%:*}/${1##*:}" || return 1
  printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&9
  local body
  body=$(tr -d '\r' <&9)
  exec 9>&-
  case $body in "HTTP/1."*" 200 "*) ;; *) return 1 ;; esac
  sed '1,/^$/d' <<< "$body"
}
