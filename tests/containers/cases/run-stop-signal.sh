# STOPSIGNAL from the flag, the time to wait, and what the status is.
q docker run -d --name c1 --stop-signal USR1 base:1 sh -c 'trap "echo got USR1; exit 4" USR1; while :; do sleep 0.1; done'
sleep 0.3
t docker stop c1
t docker logs c1
t docker inspect -f '{{.State.ExitCode}} {{.Config.StopSignal}}' c1
q docker rm c1
q docker run -d --name c1 --stop-timeout 1 base:1 sleep 60
t docker inspect -f '{{.Config.StopTimeout}}' c1
t docker stop c1
t docker inspect -f '{{.State.ExitCode}}' c1
q docker rm c1
e docker run -d --stop-signal NONSENSE base:1 true
q docker run -d --name c1 base:1 sh -c 'trap "exit 6" HUP; while :; do sleep 0.1; done'
sleep 0.3
t docker stop -s HUP c1
t docker inspect -f '{{.State.ExitCode}}' c1
q docker rm c1
