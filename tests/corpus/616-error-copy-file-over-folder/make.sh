mkdir src; echo a > src/a
