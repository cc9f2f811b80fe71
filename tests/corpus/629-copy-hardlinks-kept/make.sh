mkdir -p d/s; echo y > d/y; ln d/y d/s/z; ln d/y d/a
