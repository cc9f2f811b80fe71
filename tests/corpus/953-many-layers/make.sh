{ echo FROM busybox:corpus; for i in $(seq 40); do echo "COPY f$((i % 3)) /d/f$i"; done; } > Dockerfile; echo 0 > f0; echo 1 > f1; echo 2 > f2
