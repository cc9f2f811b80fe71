# TERM, then KILL; what is said and kept.
q docker run -d --name c1 base:1 sleep 60
t docker stop -t 1 c1
t docker inspect -f '{{.State.ExitCode}} {{.State.Status}} {{.State.OOMKilled}}' c1
t docker stop c1
q docker start c1
t docker stop --timeout 0 c1
t docker inspect -f '{{.State.ExitCode}}' c1
q docker rm c1
q docker run -d --name c1 base:1 sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
sleep 0.3
t docker stop c1
t docker inspect -f '{{.State.ExitCode}}' c1
q docker rm c1
