echo hi > a; printf 'FROM busybox:corpus\nCOPY a /a\n' > in
