# Projects taken up, looked at and down again, as docker compose does it.
# timeout: 300
source "$(dirname "$0")/../support/containers.sh"
needs_root "containers with networks"
CASE_FOLDERS=../compose/projects
compare_cases '*'
