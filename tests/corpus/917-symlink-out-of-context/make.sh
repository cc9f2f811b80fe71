ln -s /etc/hostname-none out-dangling; ln -s ../../../sub/f out; mkdir sub; echo inside > sub/f
