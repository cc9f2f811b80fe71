mkdir -p d/s; echo y > d/s/y
