# The packaged libraries, linked statically so that starting mica loads nothing but libc. Exceptions: libcurl, whose own
# dependencies cannot be linked statically on Debian (src/http opens it when a URL is first fetched); ISA-L, which Debian has
# only as a shared library; libfmt likewise, so src/base/fmt.cc compiles it from its installed headers.
find_package(Threads REQUIRED)
find_path(FMT_INCLUDE fmt/format-inl.h REQUIRED)
find_library(LIB_SQLITE libsqlite3.a REQUIRED)
find_library(LIB_CRYPTO libcrypto.a REQUIRED)
find_library(LIB_YAML libyaml.a REQUIRED)
find_library(LIB_ISAL NAMES libisal.a isal REQUIRED)
find_library(LIB_ZSTD libzstd.a REQUIRED)
find_library(LIB_Z libz.a REQUIRED)
find_library(LIB_LZMA liblzma.a REQUIRED)
find_library(LIB_BZ2 libbz2.a REQUIRED)
