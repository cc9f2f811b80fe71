# Stopped, started, restarted, killed.
cat > compose.yaml << 'END'
name: cycle
services:
  a: {image: "base:1", command: [sleep, "60"], init: true}
END
q docker compose create
t docker compose ps -a --format '{{.Name}} {{.State}}'
q docker compose start
t docker compose ps -a --format '{{.Name}} {{.State}}'
q docker compose stop -t 0
t docker compose ps -a --format '{{.Name}} {{.State}}'
q docker compose restart -t 0
t docker compose ps -a --format '{{.Name}} {{.State}}'
q docker compose pause
t docker compose ps -a --format '{{.Name}} {{.State}}'
q docker compose unpause
q docker compose kill
status_is cycle-a-1 exited
t docker compose ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
q docker compose rm -f
t docker compose ps -a --format '{{.Name}} {{.State}}'
q docker compose down
