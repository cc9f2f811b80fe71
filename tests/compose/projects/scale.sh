# Several of one service.
cat > compose.yaml << 'END'
name: many
services:
  a: {image: "base:1", command: [sleep, "60"], init: true}
END
q docker compose up -d --scale a=3
t sorted docker compose ps --format '{{.Name}}'
q docker compose up -d --scale a=1
t sorted docker compose ps --format '{{.Name}}'
q docker compose scale a=2
t sorted docker compose ps --format '{{.Name}}'
q docker compose down -t 0
