# Statuses, also of those that ended long ago.
q docker run -d --name c1 base:1 sh -c 'sleep 0.5; exit 3'
q docker run -d --name c2 base:1 sh -c 'exit 4'
t docker wait c1 c2
t docker wait c1
e docker wait none
e docker wait
q docker rm c1 c2
