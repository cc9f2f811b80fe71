#!/bin/bash
# The browser of layers and files, as it is used: in a real terminal (tmux), by its keys.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN"
needs_program tmux skopeo
export LC_ALL=C.UTF-8 TERM=xterm-256color
busybox_image base:1
mkdir ctx
cat > ctx/Dockerfile <<'END'
FROM base:1
RUN mkdir -p /build/deep && head -c 50000 /dev/urandom > /build/deep/object && echo one > /etc/setting
COPY *.txt /srv/
RUN rm -r /build && echo two > /etc/setting && chmod 4755 /srv/a.txt
END
echo "the text" > ctx/a.txt
echo "control" > "$(printf 'ctx/x\033[41m\n.txt')"
echo "wide" > ctx/日本.txt
build -t app ctx > .build 2>&1 || fail "building: $(cat .build)"

socket=$PWD/tmux.socket
pane() { tmux -S "$socket" -f /dev/null "$@"; }
trap 'tmux -S "$socket" kill-server 2> /dev/null || true' EXIT
# Of the last session that ends the server would end too, just when the next one begins.
pane -u new-session -d -s stays "sleep 1000"
screen() { pane capture-pane -p -t app; }
keys() { pane send-keys -t app "$@"; }
# shows TEXT, lacks TEXT: waits until the screen does.
shows() { waits_for "$1" 0 || { screen; fail "not on the screen: $1"; }; }
lacks() { waits_for "$1" 1 || { screen; fail "still on the screen: $1"; }; }
waits_for() {
  local i found
  for ((i = 0; i < 100; i++)); do
    found=1
    [[ $(screen) != *"$1"* ]] || found=0
    [[ $found != "$2" ]] || return 0
    sleep 0.1
  done
  return 1
}
start() {
  pane -u new-session -d -s app -x "${width:-120}" -y "${height:-30}" "bash --norc --noprofile"
  keys "PS1='ready> '; stty -g > before; clear" Enter
  shows "ready>"
  keys "'$MICA' analyze --tui $*; s=\$?; stty -g > after; echo status \$s" Enter
}
# The shell is there again, the terminal as it was.
ended() {
  shows "status $1"
  cmp before after || fail "the terminal's mode changed"
  [[ $(pane display-message -p -t app '#{alternate_on} #{cursor_flag}') == "0 1" ]] || fail "the alternate screen stays, or the cursor is hidden"
  pane kill-session -t app
}

# Layers and their tree.
start app
shows "Layers (4)"
shows "RUN rm -r /build"
shows "Files of layer 0"
shows "+ ├── bin/"
shows "Efficient"
keys Down
shows "Changes of layer 1"
shows "+ ├── build/"
shows "Dockerfile line 2"
keys j j
shows "Changes of layer 3"
shows "- ├── build/"
shows "~ │   └── setting"
keys C-a
shows "Changes of layers 1 to 3"
lacks "── build/"
keys C-l
shows "- ├── build/"

# The tree: names that would harm the terminal, modes, directories that close, kinds of changes that are left out.
keys Up
shows 'x\x1b[41m\n.txt'
shows "日本.txt"
keys Tab C-u
shows "without unmodified"
lacks "── bin/"
shows "+     ├── a.txt"
keys Home Space
shows "─⊕ srv/"
lacks "── a.txt"
keys Right
shows "── a.txt"
keys Left C-u Home
shows "── bin/"
keys C-Space
shows "⊕ bin/"
keys C-Space
shows "── bin/"
keys C-b
lacks "Owner"
keys C-b
shows "Owner"

# A filter; a file that is written where we are, and never over another.
keys C-f
keys -l 'a\.txt$'
shows 'Filter: a\.txt$'
lacks "── bin/"
keys Enter End C-e
shows "wrote ./a.txt (9B)"
equal "the content" "the text" "$(cat a.txt)"
keys C-e
shows "File exists"
keys Escape
lacks "Filter:"
keys Home
shows "── bin/"
keys '?'
shows "any key goes back"
keys x
lacks "any key goes back"

# Another size: one pane when it is narrow, both again.
pane resize-window -t app -x 60 -y 20
lacks "Layers (4)"
shows "Changes of layer 2"
keys Tab
shows "Layers (4)"
lacks "Changes of layer"
pane resize-window -t app -x 140 -y 40
shows "Changes of layer 2"
shows "Largest waste"

# Stopped and continued like any program.
keys C-z
shows "Stopped"
keys "clear; fg; s=\$?; stty -g > after; echo status \$s" Enter
shows "Layers (4)"
keys q
ended 0

# By Ctrl+C, by a signal: the terminal is given back all the same.
start app
shows "Layers (4)"
keys C-c
ended 0
for signal in TERM HUP QUIT SEGV; do
  start app
  shows "Layers (4)"
  pid=$(pgrep -P "$(pane display-message -p -t app '#{pane_pid}')")
  kill -"$signal" "$pid"
  case $signal in TERM) ended 143 ;; HUP) ended 129 ;; QUIT) ended 131 ;; SEGV) ended 139 ;; esac
done

# Archives and layouts, a limit, no colour, a terminal without UTF-8.
expect_ok "$MICA" save -o app.tar app
start ./app.tar
shows "Layers (4)"
keys Down Tab C-f
keys -l object
shows "object"
keys C-c
ended 0
skopeo copy -q docker-archive:app.tar oci:layout:app
start --max-waste 1kB oci:layout:app
shows "Layers (4)"
keys q
shows "max-waste"
ended 1
pane -u new-session -d -s app -x 120 -y 30 "env LC_ALL=C NO_COLOR=1 '$MICA' analyze --tui app"
shows "|-- bin/"
keys Down Down
shows '\u65e5\u672c.txt'
equal "no colours" "" "$(pane capture-pane -p -e -t app | grep $'\033\[[0-9;]*3[1-6]m' || true)"
keys q

# Without a terminal it says so at once.
expect_fail "$MICA" analyze --tui app
stderr_has "--tui needs a terminal"
TERM=dumb script -qec "'$MICA' analyze --tui app" /dev/null < /dev/null > drawn && fail "a dumb terminal cannot be drawn on"
grep -qF "TERM says" drawn || fail "$(cat -v drawn)"
expect_fail "$MICA" analyze --tui --format json app
stderr_has "--tui cannot be used with --format"
