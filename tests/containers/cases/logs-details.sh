# Labels and variables that the log options name.
q docker run --name c1 -l color=red -e PLACE=here --log-opt labels=color --log-opt env=PLACE base:1 echo text
t docker logs --details c1
t docker logs c1
q docker rm c1
