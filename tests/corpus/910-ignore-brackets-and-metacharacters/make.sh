printf 'f[0-3].c\ng[^a].c\nx.y\n(p)\n+q\n' > .dockerignore; for f in f1.c f5.c ga.c gb.c xzy x.y '(p)' p +q q; do echo 1 > "$f"; done
