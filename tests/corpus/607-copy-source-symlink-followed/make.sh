echo x > target; ln -s target link; mkdir dir; echo y > dir/x; ln -s dir dlink; ln -s target dir/inner
