# One-off commands.
cat > compose.yaml << 'END'
name: oneoff
services:
  a:
    image: base:1
    command: [sleep, "60"]
    init: true
    environment: {COLOR: red}
    working_dir: /tmp
END
q docker compose up -d
t docker compose exec -T a sh -c 'pwd; echo $COLOR'
t docker compose exec -T -e COLOR=blue -w / a sh -c 'pwd; echo $COLOR'
t docker compose exec -T a sh -c 'exit 9'
e docker compose exec -T none true
t sh -c 'docker compose run --rm -T a sh -c "echo ran; exit 4" 2> /dev/null'
q docker compose down -t 0
