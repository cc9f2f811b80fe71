# Variables of the container and of the call.
q docker run -d --name c1 -h box -e A=1 -e B=2 base:1 sleep 60
t sorted docker exec c1 env
t docker exec -e A=9 -e C=3 c1 sh -c 'echo $A $B $C'
printf 'F=file\n# no\nG=a b\n' > file
t docker exec --env-file file c1 sh -c 'echo $F $G'
t env OURS=here docker exec -e OURS c1 sh -c 'echo $OURS'
q docker rm -f c1
