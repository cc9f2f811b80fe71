# Lines without end and longer than a log entry.
q docker run --name c1 base:1 sh -c 'printf "no end"; head -c 40000 /dev/zero | tr "\0" x; echo; printf last'
t sh -c 'docker logs c1 | wc -c'
t sh -c 'docker logs c1 | wc -l'
t sh -c 'docker logs c1 | tail -c 5'
q docker rm c1
