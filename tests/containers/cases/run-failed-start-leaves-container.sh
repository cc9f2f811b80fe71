# A container that could not be started stays, with the reason and the status.
e docker run --name c1 base:1 no-such-program
t docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}} {{.State.Pid}}' c1
t docker ps -a --format '{{.Names}} {{.State}} {{.Status}}'
t docker wait c1
t docker rm c1
e docker run --rm --name d1 base:1 no-such-program
t docker ps -aq
