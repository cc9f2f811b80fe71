printf hush > hidden
