n=$(printf 'n%.0s' $(seq 120)); mkdir -p d/$n/$n/$n; echo deep > d/$n/$n/$n/$n
