# Processes as ps shows them.
q docker run -d --name c1 base:1 sleep 61
t sh -c 'docker top c1 -o comm,args'
t sh -c 'docker top c1 | head -1'
q docker kill c1
status_is c1 exited
e docker top c1
says 'is not running'
q docker rm c1
e docker top none
