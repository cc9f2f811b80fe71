ln -s l2 l1; ln -s l1 l2; mkdir d; ln -s ../d d/self
