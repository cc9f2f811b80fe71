# Containers at a real terminal: its size and how it changes, control-C, detaching and coming back, exec.
source "$(dirname "$0")/../support/cli.sh"
needs_root "containers with terminals"
needs_program tmux
busybox_image base:1
screen() { tmux -S "$socket" -f /dev/null "$@"; }
socket=$PWD/tmux.socket
trap 'screen kill-server 2> /dev/null || true' EXIT
sees() {
  local end=$((SECONDS + 10))
  until screen capture-pane -p -t s | grep -qE -- "$1"; do
    [[ $SECONDS -lt $end ]] || { screen capture-pane -p -t s; fail "never on the screen: $1"; }
    sleep 0.1
  done
}
types() { screen send-keys -t s "$@"; }

screen new-session -d -s s -x 80 -y 24 env PS1='host% ' MICA_ROOT="$MICA_ROOT" sh
types "$MICA run -it --name c1 --network none -e PS1='in% ' base:1 sh" Enter
sees '^in%$'
types 'stty size' Enter
sees '^24 80$'
screen resize-window -t s -x 100 -y 30
types 'stty size' Enter
sees '^30 100$'
types 'sleep 50' Enter
sleep 0.5
types C-c
types 'echo went $((20+22))' Enter
sees '^went 42$'

types C-p C-q
sleep 0.2
sleep 0.5
types 'echo back $((1+1))' Enter
sees '^back 2$'
equal "after detaching" true "$("$MICA" inspect -f '{{.State.Running}}' c1)"
types "clear; $MICA exec -it -e PS1='exec% ' c1 sh" Enter
sees '^exec%$'
types 'tty; exit 6' Enter
sees '^/dev/pts/1$'
types 'echo status $?' Enter
sees '^status 6$'
types "clear; $MICA attach c1" Enter
sleep 0.7
types 'echo again $((3+4))' Enter
sees '^again 7$'
types 'exit 5' Enter
sleep 0.7
types 'echo status $?' Enter
sees '^status 5$'
types 'clear; stty -a | grep -c " echo "' Enter
sees '^1$'
equal "status" 5 "$("$MICA" inspect -f '{{.State.ExitCode}}' c1)"
