# A signal to the attached docker goes to the container, unless told not to.
q docker run -d --name c1 base:1 sh -c 'trap "echo got TERM; exit 9" TERM; while :; do sleep 0.1; done'
t sh -c 'docker attach c1 & p=$!; sleep 0.7; kill -TERM $p; wait $p; echo $?'
status_is c1 exited
t docker inspect -f '{{.State.ExitCode}}' c1
q docker rm c1
