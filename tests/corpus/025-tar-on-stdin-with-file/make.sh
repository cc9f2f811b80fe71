mkdir -p c/sub; echo hi > c/a; printf 'FROM busybox:corpus\nCOPY a /b\n' > c/sub/Other
find c -exec touch -h -d @1500000000 {} +; tar -C c --sort=name -cjf in.tbz .; rm -r c
