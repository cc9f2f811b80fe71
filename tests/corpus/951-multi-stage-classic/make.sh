echo c > main.c
