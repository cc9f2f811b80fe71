printf 'FROM busybox:corpus\nENV A=1 \\  \t\n  B=2\nENV C=3 \\' > Dockerfile
