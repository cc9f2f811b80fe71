echo > a
