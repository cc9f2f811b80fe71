# -f goes on to the end of the container.
q docker run -d --name c1 base:1 sh -c 'for i in 1 2 3 4; do echo $i; sleep 0.2; done; exit 3'
t docker logs -f c1
t docker logs -f --tail 2 c1
q docker rm -f c1
q docker run -d --name c1 base:1 sleep 60
t sh -c '(sleep 0.7; docker kill c1 > /dev/null) & docker logs --follow c1; echo $?'
status_is c1 exited
q docker rm c1
