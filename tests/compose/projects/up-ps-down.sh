# Two services, up and down.
cat > compose.yaml << 'END'
name: two
services:
  a: {image: "base:1", command: [sleep, "60"], init: true}
  b: {image: "base:1", command: [sleep, "60"], init: true, depends_on: [a]}
END
q docker compose up -d
t docker compose ps --format '{{.Name}} {{.Service}} {{.State}} {{.Image}}'
t docker compose ps -q a
t sorted docker compose ps --services
t sorted docker ps --format '{{.Names}} {{.Label "com.docker.compose.service"}} {{.Label "com.docker.compose.project"}}'
t docker network ls --filter name=two --format '{{.Name}} {{.Driver}}'
q docker compose down -t 0
t docker compose ps -a --format '{{.Name}}'
