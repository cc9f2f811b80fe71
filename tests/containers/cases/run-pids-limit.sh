# A process too many is refused inside, and the container lives on.
t docker run --rm --pids-limit 5 base:1 sh -c 'i=0; while [ $i -lt 8 ]; do sleep 5 & i=$((i + 1)); done; echo unreached'
t docker run --rm --pids-limit 40 base:1 sh -c 'true & true & wait; echo fine'
