cat > .dockerignore <<'END'
# comment
*.log
/build
  tmp?  

node_modules
END
echo 1 > a.log; mkdir -p build sub/build node_modules/x sub/node_modules; echo 2 > build/x; echo 3 > sub/build/y; echo 4 > sub/b.log; echo 5 > tmp1; echo 6 > tmp10; echo 7 > node_modules/x/y; echo 8 > sub/node_modules/z; echo 9 > keep
