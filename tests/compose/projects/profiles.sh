# Services of profiles stay away unless asked for.
cat > compose.yaml << 'END'
name: prof
services:
  a: {image: "base:1", command: [sleep, "60"], init: true}
  debug: {image: "base:1", command: [sleep, "60"], init: true, profiles: [tools]}
END
q docker compose up -d
t sorted docker compose ps --format '{{.Service}}'
q docker compose --profile tools up -d
t sorted docker compose ps --format '{{.Service}}'
q docker compose --profile tools down -t 0
