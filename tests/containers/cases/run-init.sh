# With --init the command is a child, signals reach it, and orphans are reaped.
t docker run --rm base:1 sh -c 'echo $$'
t docker run --rm --init base:1 sh -c '[ $$ -ne 1 ] && echo a child'
t docker run --rm --init base:1 sh -c 'exit 9'
q docker run -d --init --name c1 base:1 sleep 60
t docker stop -t 5 c1
t docker inspect -f '{{.State.ExitCode}}' c1
q docker rm c1
q docker run -d --init --name c1 base:1 sh -c '(sleep 0.1 &) ; sleep 60'
sleep 0.5
t docker exec c1 sh -c 'ps -o stat,comm | grep -c ^Z'
q docker rm -f c1
