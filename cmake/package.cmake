# `cmake --install` and the .deb (`cpack -G DEB`).
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES README.md ARCHITECTURE.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "mica developers <mica@localhost>")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# libcurl is opened at run time, so no tool can see it; libmicrohttpd too. What only some commands or users need is recommended.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4 | libcurl3-gnutls, runc | crun")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "libmicrohttpd12, netavark, iptables | nftables, passt, uidmap, mmdebstrap, git, openssh-client, catatonit, busybox-static, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
