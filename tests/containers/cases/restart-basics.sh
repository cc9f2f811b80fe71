# Stop and start in one.
q docker run -d --name c1 base:1 sh -c 'echo up; sleep 60'
until_ok sh -c 'docker logs c1 | grep up'
t docker restart -t 0 c1
until_ok sh -c '[ $(docker logs c1 | wc -l) = 2 ]'
t docker logs c1
t docker inspect -f '{{.State.Running}} {{.RestartCount}}' c1
q docker kill c1
status_is c1 exited
t docker restart c1
t docker inspect -f '{{.State.Running}}' c1
e docker restart -t 0 none c1
q docker rm -f c1
