#include "http/mhd_library.h"

#include <dlfcn.h>

#include "base/format.h"

namespace mica::http {
namespace {

struct Loaded {
  MhdLibrary library{};
  std::optional<Error> error;
};

template <class Function>
bool find(void* handle, const char* name, Function& into) {
  into = reinterpret_cast<Function>(::dlsym(handle, name));
  return into != nullptr;
}

std::optional<Error> fill(void* handle, MhdLibrary& m) {
  const char* missing = nullptr;
#define MICA_MHD(name) \
  if (!missing && !find(handle, "MHD_" #name, m.name)) missing = "MHD_" #name
  MICA_MHD(start_daemon);
  MICA_MHD(stop_daemon);
  MICA_MHD(quiesce_daemon);
  MICA_MHD(is_feature_supported);
  MICA_MHD(get_connection_info);
  MICA_MHD(get_connection_values);
  MICA_MHD(queue_response);
  MICA_MHD(destroy_response);
  MICA_MHD(add_response_header);
  MICA_MHD(create_response_from_buffer);
  MICA_MHD(create_response_from_fd_at_offset64);
  MICA_MHD(create_response_from_callback);
#undef MICA_MHD
  if (missing) return Error(Errc::unsupported, format("the installed libmicrohttpd is too old: it lacks {}", missing));
  return std::nullopt;
}

Loaded load() {
  Loaded out;
  void* handle = ::dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* why = ::dlerror();
    out.error = Error(Errc::unsupported, format("libmicrohttpd cannot be loaded: {}", why ? why : "not found"))
                    .with_hint("install it (on Debian: apt-get install libmicrohttpd12)");
    return out;
  }
  out.error = fill(handle, out.library);
  return out;
}

}  // namespace

Result<const MhdLibrary*> mhd_library() {
  static const Loaded loaded = load();
  if (loaded.error) return fail(*loaded.error);
  return &loaded.library;
}

}  // namespace mica::http
