# What ended and how.
cat > compose.yaml << 'END'
name: ends
services:
  good: {image: "base:1", command: "true"}
  bad: {image: "base:1", command: ["sh", "-c", "exit 7"]}
END
q docker compose up -d
q docker wait ends-good-1 ends-bad-1
t docker compose ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
t docker compose ps --format '{{.Name}}'
q docker compose down
