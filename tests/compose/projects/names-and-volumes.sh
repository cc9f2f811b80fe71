# Services find each other; named volumes stay until down -v.
cat > compose.yaml << 'END'
name: shared
services:
  web: {image: "base:1", command: ["sh", "-c", "mkdir /www; echo content > /www/x; exec httpd -f -p 80 -h /www"], init: true}
  ask: {image: "base:1", command: [sleep, "60"], init: true, volumes: ["data:/data"]}
volumes: {data: {}}
END
q docker compose up -d
t retry docker compose exec -T ask wget -qO- http://web/x
t docker compose exec -T ask sh -c 'echo kept > /data/y'
q docker compose down -t 0
t docker volume ls --format '{{.Name}}'
q docker compose up -d
t docker compose exec -T ask cat /data/y
q docker compose down -t 0 -v
t docker volume ls --format '{{.Name}}'
