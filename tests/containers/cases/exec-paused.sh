# Nothing starts in a paused container.
q docker run -d --name c1 base:1 sleep 60
t docker pause c1
t docker ps --format '{{.Names}} {{.State}}'
t docker inspect -f '{{.State.Status}} {{.State.Paused}} {{.State.Running}}' c1
e docker exec c1 true
says 'is paused'
e docker pause c1
t docker unpause c1
e docker unpause c1
t docker exec c1 echo on
q docker rm -f c1
