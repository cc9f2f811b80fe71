# What waits for health and for an end.
cat > compose.yaml << 'END'
name: order
services:
  prepare: {image: "base:1", command: "true"}
  db:
    image: base:1
    command: [sleep, "60"]
    init: true
    healthcheck: {test: ["CMD", "true"], interval: 200ms}
  app:
    image: base:1
    command: echo at last
    depends_on:
      prepare: {condition: service_completed_successfully}
      db: {condition: service_healthy}
END
q docker compose up -d
status_is order-app-1 exited
t docker compose logs --no-log-prefix app
t docker inspect -f '{{.State.Health.Status}}' order-db-1
q docker compose down -t 0
