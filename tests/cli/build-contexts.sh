# Contexts that are no folder: git repositories with refs and folders, archives and Dockerfiles by HTTP and on standard input.
source "$(dirname "$0")/../support/cli.sh"
needs_program git python3 tar
busybox_image busybox:1
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
mkdir repo www
(
  cd repo
  git init -q -b main .
  mkdir sub
  printf 'FROM busybox:1\nCOPY . /\n' | tee Dockerfile > sub/Dockerfile
  echo first > word
  echo below > sub/word
  git add -A && git commit -qm one && git tag v1
  echo second > word
  git commit -qam two
  git checkout -q -b dev
  echo third > sub/word
  git commit -qam three
  git checkout -q main
)
first=$(git -C repo rev-parse v1)
git clone -q --bare repo www/r.git
git -C www/r.git update-server-info
tar -C repo --exclude=.git -czf www/context.tgz .
tar -C repo --exclude=.git -cf www/context.tar .
printf 'FROM busybox:1\nRUN --network=none echo alone > /word\n' > www/Dockerfile
python3 - > port << 'END' &
import functools, http.server
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words): pass
server = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory="www"))
print(server.server_port, flush=True)
server.serve_forever()
END
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do [[ ! -s port ]] || break; sleep 0.05; done
url=http://127.0.0.1:$(cat port)

gives() {  # WORD ARGS...
  local word=$1
  shift
  rm -rf out
  "$MICA" build -q -o out "$@" > .stdout 2> .stderr || { show; fail "build $*"; }
  equal "what build $* gives" "$word" "$(cat out/word)"
}
gives second "$url/r.git"
gives first "$url/r.git#v1"
gives first "$url/r.git#$first"
gives below "$url/r.git#:sub"
gives third "$url/r.git#dev:sub"
gives third "$url/r.git#refs/heads/dev:sub"
gives third "$url/r.git?ref=dev&subdir=sub"
gives second "$url/context.tgz"
gives second "$url/context.tar"
gives alone "$url/Dockerfile"
gives second - < www/context.tar
gives second - < www/context.tgz
gives second -f sub/Dockerfile - < www/context.tar
gives alone - < www/Dockerfile
gives second -f - repo < repo/Dockerfile
gives below --build-context other="$url/r.git#:sub" -f - repo << 'END'
FROM scratch
COPY --from=other word /
END

expect_fail 1 "$MICA" build "$url/r.git#nowhere"
stderr_has 'repository does not contain ref "nowhere"'
expect_fail 1 "$MICA" build "$url/r.git#:nowhere"
stderr_has 'the repository has no folder "nowhere"'
expect_fail 1 "$MICA" build "$url/nothing.tar"
stderr_has "404"
run "$MICA" build -f nofile - < www/context.tar
[[ $status == 1 ]] || { show; fail "a Dockerfile that the archive lacks"; }
stderr_has "failed to read dockerfile: open nofile: no such file or directory"
run "$MICA" build - < port
[[ $status == 1 ]] || { show; fail "a Dockerfile of a number"; }
stderr_has "unknown instruction"
store_is_clean
