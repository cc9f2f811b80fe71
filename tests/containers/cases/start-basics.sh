# A container made, started, and started again.
t docker create --name c1 base:1 sh -c 'echo run; exit 3'
t docker ps -a --format '{{.Names}} {{.State}} {{.Status}}'
t docker start c1
status_is c1 exited
t docker logs c1
t docker start -a c1
t docker logs c1
t docker inspect -f '{{.State.ExitCode}} {{.RestartCount}}' c1
t docker rm c1
e docker start none
e docker start
