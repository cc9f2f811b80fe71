# Stopped ones go, running ones stay.
q docker run -d --name up1 base:1 sleep 60
q docker create --name new1 -l keep base:1
q docker run --name done1 base:1 true
t sh -c 'docker container prune -f --filter label!=keep | grep -c .'
t docker ps -a --format '{{.Names}} {{.State}}'
t sh -c 'echo n | docker container prune'
t docker container prune -f --filter until=1h
t sh -c 'docker container prune -f | tail -1'
t docker ps -a --format '{{.Names}}'
q docker rm -f up1
