# What docker run does and prints, case by case as Docker does it.
# timeout: 400
source "$(dirname "$0")/../support/containers.sh"
needs_root "containers with networks and limits"
compare_cases 'run-*'
