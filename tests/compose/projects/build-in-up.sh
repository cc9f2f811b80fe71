# An image that is built first.
printf 'FROM base:1\nRUN echo made > /x\nCMD ["cat", "/x"]\n' > Dockerfile
cat > compose.yaml << 'END'
name: made
services:
  a: {build: .}
END
q docker compose up -d --build
status_is made-a-1 exited
t docker compose logs --no-log-prefix
t docker images --format '{{.Repository}}:{{.Tag}}' made-a
q docker compose down --rmi all
t docker images --format '{{.Repository}}:{{.Tag}}' made-a
