# Only what changed is made again.
cat > compose.yaml << 'END'
name: change
services:
  a: {image: "base:1", command: [sleep, "60"], init: true}
  b: {image: "base:1", command: [sleep, "60"], init: true, environment: {X: "${X:-1}"}}
END
q docker compose up -d
a=$(docker compose ps -q a) b=$(docker compose ps -q b)
q env X=2 docker compose up -d -t 0
same() { [ "$(docker compose ps -q "$1")" = "$2" ] && echo same || echo another; }
t same a "$a"
t same b "$b"
t docker compose exec -T b sh -c 'echo $X'
q docker compose down -t 0
