# What the shells offer: commands, flags, names. bash is really asked.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base:1
expect_ok "$MICA" tag base:1 base:2
expect_ok "$MICA" volume create store-of-things
mkdir bin
ln -s "$MICA" bin/docker
ln -s "$MICA" bin/mica
PATH=$PWD/bin:$PATH
for shell in bash zsh fish; do expect_ok "$MICA" completion $shell; done
expect_fail "$MICA" completion csh
stderr_has 'bash, zsh and fish'
expect_ok "$MICA" --help
stdout_lacks __complete

cat > ask.sh << 'END'
source <(mica completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
$(complete -p "${1%% *}" | sed 's/.*-F \([^ ]*\) .*/\1/')
printf '%s\n' "${COMPREPLY[@]}"
END
offers() {  # LINE EXPECTED
  expect_ok bash ask.sh "$1"
  equal "offers for '$1'" "$2" "$(tr '\n' ' ' < .stdout | sed 's/ $//')"
}
offers 'mica imag' 'image images'
offers 'docker imag' 'image images'
offers 'mica image pu' 'pull push'
offers 'mica run --rea' '--read-only'
offers 'mica run ba' 'base:1 base:2'
offers 'mica run base:' '1 2'
offers 'mica volume rm s' 'store-of-things'
offers 'mica network inspect h' 'host'
offers 'mica nonsense x' ''
