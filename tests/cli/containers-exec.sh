# exec, attach and logs, case by case as Docker does them.
# timeout: 400
source "$(dirname "$0")/../support/containers.sh"
needs_root "containers with networks and limits"
compare_cases 'exec-*' 'attach-*' 'logs-*'
