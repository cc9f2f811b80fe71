echo text > dir.txt
