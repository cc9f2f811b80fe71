printf '*\n!src\nsrc/*.o\n!src/keep.o\n! README.md\n' > .dockerignore
mkdir -p src/d other; echo 1 > src/a.c; echo 2 > src/a.o; echo 3 > src/keep.o; echo 4 > README.md; echo 5 > other/x; echo 6 > src/d/x.o
