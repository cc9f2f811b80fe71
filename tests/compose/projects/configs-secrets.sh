# Files given as configs and secrets.
echo hidden > secret.txt
cat > compose.yaml << 'END'
name: files
services:
  a:
    image: base:1
    command: cat /run/secrets/s /etc/c.conf
    secrets: [s]
    configs: [{source: c, target: /etc/c.conf}]
secrets: {s: {file: secret.txt}}
configs: {c: {content: "line of config\n"}}
END
q docker compose up -d
status_is files-a-1 exited
t docker compose logs --no-log-prefix
q docker compose down
