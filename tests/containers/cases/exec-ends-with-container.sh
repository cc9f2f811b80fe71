# An exec dies with the container's first process.
q docker run -d --name c1 base:1 sleep 60
t sh -c '(sleep 0.5; docker kill c1 > /dev/null) & docker exec c1 sleep 50; echo $?'
status_is c1 exited
q docker rm c1
