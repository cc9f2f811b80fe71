# start -ai joins input and output.
q docker create -i --name c1 base:1 cat
t sh -c 'echo through | docker start -ai c1'
t sh -c 'echo again | docker start -a -i c1'
t docker logs c1
q docker rm c1
