printf '**/*.pyc\na/**\n!a/b/keep\n**/cache\nx/**/z\n' > .dockerignore
mkdir -p a/b/c d/cache x/y1/y2 x/y3; echo 1 > a/1; echo 2 > a/b/keep; echo 3 > a/b/c/3; echo 4 > d/e.pyc; echo 5 > top.pyc; echo 6 > d/cache/f; echo 7 > x/y1/y2/z; echo 8 > x/z; echo 9 > x/y3/keep
