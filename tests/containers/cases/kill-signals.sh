# Signals by name and number, and what kill does not do.
q docker run -d --name c1 base:1 sh -c 'trap "echo USR1" USR1; trap "echo HUP" HUP; while :; do sleep 0.1; done'
sleep 0.4
t docker kill -s USR1 c1
sleep 0.4
t docker kill --signal=SIGHUP c1
sleep 0.4
t docker kill -s 10 c1
sleep 0.4
t docker logs c1
t docker inspect -f '{{.State.Running}}' c1
e docker kill -s NONSENSE c1
t docker kill c1
status_is c1 exited
t docker inspect -f '{{.State.ExitCode}}' c1
e docker kill c1
says 'is not running'
q docker rm c1
e docker kill none
