# -e with and without a value, and what every container gets.
export FROM_CLIENT='of the client' EMPTY=
unset NOT_SET
t sorted docker run --rm -h box -e A=1 -e 'B=two words' -e FROM_CLIENT -e EMPTY -e NOT_SET -e A=2 base:1 env
t docker run --rm base:1 sh -c 'echo "$PATH" "$HOME" ${#HOSTNAME}'
t docker run --rm -e PATH=/bin -e HOME=/elsewhere -e HOSTNAME=mine base:1 sh -c 'echo "$PATH" "$HOME" "$HOSTNAME"'
t docker run --rm -u app base:1 sh -c 'echo "$HOME"'
t docker run --rm -u 4242 base:1 sh -c 'echo "$HOME"'
e docker run --rm -e = base:1 env
