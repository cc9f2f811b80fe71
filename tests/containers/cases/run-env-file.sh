# Comments, quotes, blanks, names without a value; flags win over files.
export PASSED=through
cat > one.env << 'EOF'
# a comment
PLAIN=value
QUOTED="kept as it is"
SPACES=  two before
  INDENTED=yes
TRAILING=x  

HASH=a#b # c1
PASSED
NOT_PASSED
EMPTY=
EQUALS=a=b=c
EOF
echo 'PLAIN=of the second' > two.env
t sorted docker run --rm -h box --env-file one.env base:1 env
t docker run --rm --env-file one.env --env-file two.env base:1 sh -c 'echo "$PLAIN"'
t docker run --rm -e PLAIN=flag --env-file one.env --env-file two.env base:1 sh -c 'echo "$PLAIN"'
e docker run --rm --env-file missing.env base:1 env
says 'missing.env'
echo 'WITH SPACE=1' > bad.env
e docker run --rm --env-file bad.env base:1 env
echo '=novalue' > bad.env
e docker run --rm --env-file bad.env base:1 env
