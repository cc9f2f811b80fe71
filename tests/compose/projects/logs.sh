# Logs with and without prefixes.
cat > compose.yaml << 'END'
name: talk
services:
  a: {image: "base:1", command: "echo one word"}
END
q docker compose up -d
status_is talk-a-1 exited
t docker compose logs
t docker compose logs --no-log-prefix
t docker compose logs --no-color --tail 1 a
e docker compose logs none
q docker compose down
