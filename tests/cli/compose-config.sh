# `compose config` prints what docker compose 2.40 prints for the projects of tests/compose/config (made by make-config-goldens.sh).
source "$(dirname "$0")/../support/cli.sh"
unset SET EMPTY NUMBER UNSET DBTAG TWO COMPOSE_FILE COMPOSE_PROFILES COMPOSE_PROJECT_NAME
export HOME=/nowhere/home
count=0
for folder in "$support/../compose/config"/*/; do
  name=$(basename "$folder")
  cp -r "$folder" "$name"
  rm "$name/golden.yaml"
  profile=$(cat "$name/profile" 2> /dev/null || true)
  expect_ok "$MICA" compose --project-directory "$name" -f "$name/compose.yaml" $(ls "$name"/compose.override.yaml 2> /dev/null | sed "s/^/-f /") ${profile:+--profile "$profile"} config
  sed -e "s|@DIR@|$PWD/$name|g; s|@UP@|$PWD|g; s|@HOME@|$HOME|g" "$folder/golden.yaml" > expected.yaml
  if ! diff expected.yaml .stdout > difference; then
    cat difference >&2
    fail "compose config of $name differs"
  fi
  count=$((count + 1))
done
[[ $count -ge 25 ]] || fail "only $count projects"
