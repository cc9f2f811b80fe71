# From starting to healthy to unhealthy.
q docker run -d --name c1 --health-cmd 'test -e /tmp/good' --health-interval 200ms --health-retries 2 base:1 sh -c 'touch /tmp/good; sleep 60'
health_is c1 healthy
t docker inspect -f '{{json .Config.Healthcheck}}' c1
q docker exec c1 rm /tmp/good
health_is c1 unhealthy
t docker inspect -f '{{(index .State.Health.Log 0).ExitCode}}' c1
t docker ps --filter health=unhealthy --format '{{.Names}}'
q docker rm -f c1
q docker run -d --name c1 --no-healthcheck base:1 sleep 60
t docker inspect -f '{{json .Config.Healthcheck}} {{json .State.Health}}' c1
q docker rm -f c1
